"""The examples in the docstrings of the bridges are run."""

import doctest
import importlib
import pkgutil

import pytest

import stbp_edu.torch

TORCH = [m.name for m in pkgutil.iter_modules(stbp_edu.torch.__path__, "stbp_edu.torch.")]
MODULES = [*TORCH, "stbp_edu.nir"]


@pytest.mark.parametrize("name", MODULES)
def test_examples_of_module(name):
    found = doctest.testmod(importlib.import_module(name), optionflags=doctest.NORMALIZE_WHITESPACE)
    assert found.failed == 0


def test_there_are_examples():
    finder = doctest.DocTestFinder()
    modules = [importlib.import_module(name) for name in MODULES]
    assert sum(bool(t.examples) for m in modules for t in finder.find(m)) > 4
