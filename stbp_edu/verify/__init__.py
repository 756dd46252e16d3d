"""Oracles that compute the same numbers again and share no backward code with what they check.

For the adjoints: ``finite_difference`` nudges one number and compares two losses; ``autodiff`` lets
a program apply the chain rule; ``paths`` sums the products along every path of the graph of
:mod:`stbp_edu.arrows`, and ``polynomials`` does so with letters in place of numbers. They take H, g
and h, or h, f and f' from the package; these, and the values of the losses, ``formulas`` checks.

``comparison`` holds results against an oracle's, and ``report`` does so for every form on random
networks and has the verdicts. ``require`` loads autograd and SymPy when needed.
"""

import importlib
from typing import Any


def require(module: str, purpose: str) -> Any:
    """Return a module of the extra ``verify``; the error says how to install it.

    Raises:
        ImportError: if the library is not installed.

    >>> require("no_such_library", "the example")
    Traceback (most recent call last):
    ImportError: the example needs no_such_library; run: pip install "stbp-edu[verify]"
    """
    library = module.partition(".")[0]
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != library:
            raise  # it is there, and something else is broken
        raise ImportError(
            f'{purpose} needs {library}; run: pip install "stbp-edu[verify]"'
        ) from error
