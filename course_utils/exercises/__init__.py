"""Exercises and quizzes of the lessons."""

from course_utils.exercises.engine.exercise import Exercise, Mistake, Option, Question

__all__ = ["Exercise", "Mistake", "Option", "Question"]
