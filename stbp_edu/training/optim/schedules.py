"""The learning rate over a run."""

import math

SCHEDULES = ("cosine", "constant")
"""How the learning rate may change over a run."""


def learning_rate(schedule: str, lr: float, done: float) -> float:
    """Return the learning rate of a step.

    Args:
        schedule: ``"cosine"``, which falls to 0, or ``"constant"``.
        lr: the learning rate at the start.
        done: share of the run's steps that are done, from 0 to 1.

    >>> [round(learning_rate("cosine", 1.0, done), 3) for done in (0.0, 0.5, 1.0)]
    [1.0, 0.5, 0.0]
    """
    if schedule == "constant":
        return lr
    return lr * 0.5 * (1 + math.cos(math.pi * done))  # lr
