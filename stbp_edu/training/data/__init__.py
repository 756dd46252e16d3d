"""Data sets: where they come from and how they are read.

- ``catalogue``: data sets and tasks of time by name, each with its recipe: add one here.
- ``datasets``: what a data set is, and how a part is held out.
- ``idx``: MNIST and data sets in its form, from a folder or downloaded once.
- ``tables``: data of your own, from a CSV file or arrays.
- ``events``: events, the bins that make frames of them, and recordings as data sets.
"""

from stbp_edu.training.data.datasets import (
    Dataset,
    digits,
    load_digits,
    split,
    validation,
)
from stbp_edu.training.data.recipes import CATALOGUE, RECIPES, load_dataset
from stbp_edu.training.data.recordings import Events, bin_events

__all__ = [
    "CATALOGUE",
    "RECIPES",
    "Dataset",
    "Events",
    "bin_events",
    "digits",
    "load_dataset",
    "load_digits",
    "split",
    "validation",
]
