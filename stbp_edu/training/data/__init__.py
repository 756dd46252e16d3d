"""Data sets: where they come from, how they are read, and how images become spikes.

- ``datasets``: load a data set by name or from a folder, and hold out a share of its images.
- ``sources``: the data sets that are fetched, their files (checked and read), mirrors and packages:
  add one here.
- ``download``: fetch files into the cache.
- ``registries``: files inside packages of npm and Debian.
- ``tasks``: tasks of time, made by the package.
- ``encoders``: grey images become spikes.
- ``fgsm``: images changed against the network.
"""

from stbp_edu.training.data.datasets import (
    Dataset,
    digits,
    load_dataset,
    load_digits,
    make_task,
    split,
    validation,
)
from stbp_edu.training.data.encoders import bernoulli

__all__ = [
    "Dataset",
    "bernoulli",
    "digits",
    "load_dataset",
    "load_digits",
    "make_task",
    "split",
    "validation",
]
