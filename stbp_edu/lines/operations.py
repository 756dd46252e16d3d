r"""The operations of a line, each with one entry: its value, its derivative, and how it is written.

To add one, such as ``arctan``, add its entry to ``OPERATIONS``; ``sinh``, say, would be
``_function("sinh", r"\sinh({})", "cosh(a)")`` beside one for ``cosh``.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, NamedTuple

from stbp_edu.surrogates import fires


class Operation(NamedTuple):
    """An operation on one argument, a, or on two, a and b.

    Attributes:
        value: its value, of a module like NumPy and the arguments.
        slopes: its derivative by each argument, as a text in a and b. Where both arguments of min
            or max are equal, the slope is that of the first one; that of abs at 0 is 1.
        latex: how it is written, how tightly that binds (1 a sum, 2 a product, 5 a name), and how
            tightly each argument has to bind if it is to have no brackets.
        imported: the function of NumPy, PyTorch and Numba that a program imports for it.
        written: the name by which a program calls it.
    """

    value: Callable[..., Any]
    slopes: tuple[str, ...]
    latex: tuple[str, int, tuple[int, ...]]
    imported: str = ""
    written: str = ""


def _function(name: str, latex: str, slope: str, binds: int = 5) -> Operation:
    """Return a function of one argument that NumPy, PyTorch and Numba call by its name."""

    def value(xp: Any, a: Any) -> Any:
        """Return its value in a module like NumPy."""
        return getattr(xp, name)(a)

    return Operation(value, (slope,), (latex, binds, (0,)), name, name)


def _sign(
    of: Callable[..., Any], slopes: tuple[str, ...], form: str, binds: int, *wanted: int
) -> Operation:
    """Return the operation of a sign."""
    return Operation(lambda _, *args: of(*args), slopes, (form, binds, wanted))


OPERATIONS: dict[str, Operation] = {
    "+": _sign(operator.add, ("1", "1"), "{}+{}", 1, 1, 1),
    "-": _sign(operator.sub, ("1", "-1"), "{}-{}", 1, 1, 2),
    "neg": _sign(operator.neg, ("-1",), "-{}", 1, 2),
    "*": _sign(operator.mul, ("b", "a"), "{} {}", 2, 2, 3),
    "/": _sign(
        operator.truediv, ("1 / b", "-a / b ** 2"), r"\frac{{{}}}{{{}}}", 3, 0, 0
    ),
    "**": _sign(
        operator.pow, ("b * a ** (b - 1)", "a ** b * log(a)"), "{}^{{{}}}", 4, 5, 0
    ),
    "exp": _function("exp", "e^{{{}}}", "exp(a)", binds=4),
    "log": _function("log", r"\log({})", "1 / a"),
    "tanh": _function("tanh", r"\tanh({})", "1 - tanh(a) ** 2"),
    "sqrt": _function("sqrt", r"\sqrt{{{}}}", "1 / (2 * sqrt(a))"),
    "abs": Operation(
        lambda xp, a: xp.where(a >= 0, a, -a),
        ("2 * at_least(a, 0) - 1",),
        ("|{{{}}}|", 5, (0,)),
        written="abs",
    ),
    "min": Operation(
        lambda xp, a, b: xp.where(b >= a, a, b),
        ("at_least(b, a)", "1 - at_least(b, a)"),
        (r"\min({},{})", 5, (0, 0)),
        imported="minimum",
        written="minimum",
    ),
    "max": Operation(
        lambda xp, a, b: xp.where(a >= b, a, b),
        ("at_least(a, b)", "1 - at_least(a, b)"),
        (r"\max({},{})", 5, (0, 0)),
        imported="maximum",
        written="maximum",
    ),
    "at_least": Operation(
        lambda xp, a, b: xp.where(a >= b, 1.0, 0.0),
        ("0", "0"),
        (r"[{} \geq {}]", 5, (0, 0)),
        imported="where",
        written="at_least",
    ),
    "spike": Operation(
        lambda _, a: fires(a),
        ("h(a)",),
        ("spike({})", 5, (0,)),
        written="spike",
    ),
}
"""Each operation by its sign or name; a minus before one argument is ``"neg"``."""

SHARED = tuple(name for name, of in OPERATIONS.items() if of.imported == name)
"""The functions of one argument that NumPy, PyTorch and Numba have under the same name."""
FUNCTIONS = tuple(
    name for name, of in OPERATIONS.items() if of.written and name != "at_least"
)
"""The functions that a text may call."""
