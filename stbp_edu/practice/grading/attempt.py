"""Call the reader's function on copies of the arguments; whatever it does stays inside."""

from __future__ import annotations

import copy
import inspect
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Outcome:
    """What one call brought: a value, or a problem in words.

    Attributes:
        value: what the function returned.
        problem: what went wrong in the call, or "".
        untouched: whether the function is still the stub.
    """

    value: Any = None
    problem: str = ""
    untouched: bool = False


Function = Callable[..., Any]


def attempt(function: Function, args: tuple[Any, ...], look: Function | None = None) -> Outcome:
    """Call ``function`` with deep copies of ``args``; no exception of its own gets out.

    ``look`` turns the result of a random function into what can be compared.
    """
    try:
        # A division by zero shows up as a NaN, which is explained; no warning is needed.
        with np.errstate(all="ignore"):
            value = function(*copy.deepcopy(args))
            if look is not None and not _is_blank(value):
                value = look(value, function, *copy.deepcopy(args))
    except NotImplementedError:
        return Outcome(untouched=True)
    except Exception as error:
        # An "..." that is left inside a formula is a blank, not a mistake.
        blank = isinstance(error, TypeError) and "ellipsis" in str(error)
        return Outcome(problem=_explain(error), untouched=blank)
    return Outcome(copy.deepcopy(value), untouched=_is_blank(value))


def signature_problem(function: Any, signature: str, args: tuple[Any, ...]) -> str:
    """Say what is wrong with the way ``function`` is declared, or return ""."""
    try:
        inspect.signature(function).bind(*args)
    except TypeError as error:
        return f"It cannot be called as {signature}: {error}. Keep the arguments of the stub."
    except ValueError:  # a builtin without a signature: let the call decide
        return ""
    return ""


def _is_blank(value: Any) -> bool:
    """Whether a returned value is an unfilled stub: None, ``...``, or a tuple of such."""
    if isinstance(value, tuple) and value:
        return all(_is_blank(v) for v in value)
    return value is None or value is Ellipsis


def _explain(error: Exception) -> str:
    """Say what an exception means, and on which line of the reader's code it arose."""
    frames = traceback.extract_tb(error.__traceback__)[1:]
    line = f", at `{frames[0].line}`" if frames and frames[0].line else ""
    return f"It raises {type(error).__name__}: {error}{line}."
