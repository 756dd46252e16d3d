"""Oracles that compute the same numbers again and share no backward code with what they check.

For the adjoints: ``finite_difference`` nudges one number and compares two losses; ``autodiff`` lets
a program apply the chain rule; both run a neuron's lines by ``lines_run``. ``paths`` sums the
products along every path of the graph of :mod:`stbp_edu.arrows`, and ``polynomials`` does so with
letters in place of numbers. They take H, g and h, or h, f and f' from the package; these, and the
values of the losses, ``formulas`` checks.

``comparison`` holds results against an oracle's, ``trials`` does so for every form of the five
cases on random networks, and ``report`` has the verdicts. ``proof`` judges any neuron: its arrows
(``nudges``), its gradients, and every form of its programs (``proved_programs``), on the networks
of ``drawn_runs``. ``require`` loads autograd and SymPy when needed.
"""

from typing import Any

from stbp_edu._support import checks


def require(module: str, purpose: str) -> Any:
    """Return a module of the extra ``verify``; the error says how to install it.

    Raises:
        ImportError: if the library is not installed.

    >>> require("no_such_library", "the example")
    Traceback (most recent call last):
    ImportError: the example needs no_such_library; run: pip install no_such_library
    """
    return checks.require(module, purpose)
