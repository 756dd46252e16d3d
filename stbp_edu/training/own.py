"""Your own surrogate or rule as a setting: ``module:name``, found as Python's import finds it.

The module may also lie in the folder in which the command runs.
"""

import importlib
import sys
from pathlib import Path
from typing import Any

from stbp_edu import checks
from stbp_edu.arrows.rules import Rule
from stbp_edu.surrogates import Surrogate, checked


def own_surrogate(place: str, a: float) -> Surrogate:
    """Return the surrogate that is called ``module:name``.

    Args:
        place: ``module:name`` of a class that takes ``a``, as a subclass of ``Curve`` does, or of
            an object that needs nothing.
        a: the width.

    Raises:
        TypeError, ValueError: if it is neither, or lacks h or H.

    >>> own_surrogate("stbp_edu.surrogates:Gaussian", 0.5)
    Gaussian(a=0.5)
    """
    found = imported("surrogate", place)
    if not isinstance(found, type):
        return checked("surrogate", found)
    if not hasattr(found, "derivative"):
        raise TypeError(
            "surrogate must be a class with the methods derivative and antiderivative, got "
            f"{place}; write a subclass of stbp_edu.surrogates.Curve"
        )
    return checked("surrogate", found(a=a))


def own_rule(place: str) -> Rule:
    """Return the ``Rule`` that is called ``module:name``.

    Raises:
        TypeError, ValueError: if there is none of this name.
    """
    return checks.instance("rule", imported("rule", place), Rule)


def imported(setting: str, place: str) -> Any:
    """Return the object that is called ``module:name``."""
    module, _, name = place.partition(":")
    sys.path.append(str(Path.cwd()))
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise ValueError(
            f"{setting} must be the module:name of an object that can be imported, got {place!r} "
            f"({error}); start where the module is, or install it"
        ) from error
    finally:
        sys.path.pop()
