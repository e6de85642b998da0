"""Trainings in a row."""

from course_utils.training.loop import train


def train_whole(recipe, config, **options):
    """``train``, but a signal that stops one training ends the experiment, which would go on to the next one otherwise.

    Raises
    ------
    KeyboardInterrupt
        Where the training was stopped.
    """
    trained = train(recipe, config, **options)
    if trained.stopped:
        raise KeyboardInterrupt(f"stopped by {trained.stopped} after step {trained.step}")
    return trained
