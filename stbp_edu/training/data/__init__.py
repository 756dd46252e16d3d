"""Data sets: where they come from, how they are read, and how images become spikes.

- ``datasets``: load a data set by name or from a folder, and hold out a share of its images.
- ``sources``: the data sets that are fetched, their files (checked and read), mirrors and packages:
  add one here.
- ``download``: fetch files into the cache.
- ``registries``: files inside packages of npm and Debian.
- ``tasks``: tasks of time, made by the package.
- ``recordings``: data sets of recorded events, fetched by tonic.
- ``event_files``: how their files are read.
- ``events``: events, and the bins that make frames of them.
- ``saccades``: events made of still images.
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
from stbp_edu.training.data.events import Events, bin_events

__all__ = [
    "Dataset",
    "Events",
    "bernoulli",
    "bin_events",
    "digits",
    "load_dataset",
    "load_digits",
    "make_task",
    "split",
    "validation",
]
