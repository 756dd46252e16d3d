"""Data sets: where they come from and how they are read.

- ``recipes``: data sets and tasks of time by name, each with its recipe: add one here.
- ``datasets``: what a data set is, how a part is held out, the digits, and MNIST's files, from a
  folder or downloaded once.
- ``tables``: data of your own, from a CSV file or arrays.
"""

from stbp_edu.training.data.datasets import (
    Dataset,
    digits,
    load_digits,
    split,
    validation,
)
from stbp_edu.training.data.recipes import CATALOGUE, RECIPES, load_dataset

__all__ = [
    "CATALOGUE",
    "RECIPES",
    "Dataset",
    "digits",
    "load_dataset",
    "load_digits",
    "split",
    "validation",
]
