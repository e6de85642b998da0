"""A lesson about sums: one function exercise, one value exercise, one sampler, two questions."""

import numpy as np

from course_utils.exercises import Exercise, Mistake, Option, Question

LESSON = (9, "Sums")


def row_sums(x):
    return x.sum(axis=1)


def draw(generator, n, scale):
    return generator.normal(scale=scale, size=n)


def same_spread(result, expected):
    return result.shape == expected.shape and abs(np.std(result) / np.std(expected) - 1) < 0.2


EXERCISES = (
    Exercise(
        name="sums.rows",
        title="Row sums",
        difficulty=1,
        minutes=2,
        reference=row_sums,
        cases=((np.array([[1.0, 2.0, 4.0], [8.0, 16.0, 32.5]]),), (np.array([[0.5], [0.25], [3.0]]),)),
        mistakes=(
            Mistake("columns", lambda x: x.sum(axis=0), "You summed the columns: that is `axis=0`."),
            Mistake("mean", lambda x: x.mean(axis=1), "You took the mean, not the sum."),
            Mistake("loop", lambda x: x[:, 0] + x[:, 1], "You added two columns only."),
        ),
        hints=("Which axis runs along a row?", "It is axis 1."),
    ),
    Exercise(
        name="sums.total",
        title="One to a hundred",
        difficulty=1,
        minutes=1,
        reference=5050,
        mistakes=(Mistake("open end", 4950, "`range(100)` ends at 99."),),
        hints=("Pair the first with the last.",),
    ),
    Exercise(
        name="sums.draw",
        title="A sampler",
        difficulty=2,
        minutes=5,
        reference=draw,
        cases=((np.random.default_rng(0), 2000, 3.0),),
        compare=same_spread,
        criterion="The standard deviation of the sample is compared with `scale`.",
        mistakes=(
            Mistake(
                "variance",
                lambda generator, n, scale: generator.normal(scale=scale**2, size=n),
                "Your spread is `scale` squared: `normal` takes the standard deviation, not the variance.",
            ),
        ),
        hints=("See `generator.normal`.",),
    ),
)
QUIZ = (
    Question(
        "sums.empty",
        "What is the sum of no numbers?",
        (
            Option("0", True, "Yes, it is neutral: adding it changes nothing."),
            Option("1", False, "That is the empty *product*, `math.prod([])`."),
            Option("undefined", False, "It is defined, so that sums of parts add up."),
        ),
    ),
    Question(
        "sums.order",
        "Is a sum of floats & ints < 3 independent of its order?",
        (
            Option("yes", False, "Each addition rounds."),
            Option("no", True, "Rounding depends on the order."),
        ),
    ),
)
