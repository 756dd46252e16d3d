"""What may be wrong in one place of a right answer.

Some hypotheses rebuild the program: a part for the whole, another operation, function,
number or name. The others make something else of the value that belongs there.
"""

import ast
import operator
from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np

from stbp_edu.practice.grading.solution_places import Change, SolutionPlace

NamedChange = tuple[str, str, Change]
"""The id of a finding, what is said of it after "it is what you get if", and what is done."""
Hypothesis = tuple[str, str, Change, Sequence[int]]
"""A row, and what its change takes: what belongs there (0), the parts of that, or the names."""


def _power(a: Any, b: Any) -> Any:
    """Return a power, and no integer of thousands of digits."""
    if isinstance(b, int) and b > 999:
        return a ** float(b)
    return a**b


FAMILIES: tuple[dict[type[ast.AST], tuple[str, Change]], ...] = (
    {
        ast.Add: ("+", operator.add),
        ast.Sub: ("-", operator.sub),
        ast.Mult: ("*", operator.mul),
        ast.Div: ("/", operator.truediv),
        ast.FloorDiv: ("//", operator.floordiv),
        ast.MatMult: ("@", operator.matmul),
        ast.Pow: ("**", _power),
    },
    {
        ast.Lt: ("<", operator.lt),
        ast.LtE: ("<=", operator.le),
        ast.Gt: (">", operator.gt),
        ast.GtE: (">=", operator.ge),
        ast.Eq: ("==", operator.eq),
        ast.NotEq: ("!=", operator.ne),
    },
    {
        ast.And: ("and", lambda a, b: a and b),
        ast.Or: ("or", lambda a, b: a or b),
    },
)
METHODS = (
    ("mean", "sum", "max", "min", "std", "prod"),
    ("argmax", "argmin", "max"),
    ("f", "df", "h", "g", "H"),
    ("maximum", "minimum"),
    ("exp", "expm1", "cosh", "sin"),
    ("abs", "square", "sign"),
    ("sqrt", "square", "abs"),
    ("tanh", "sin", "arctan"),
    ("random", "normal"),
    ("zeros", "ones"),
    ("zeros_like", "ones_like"),
)
"""Functions and methods that are taken for one another."""
ONLY: dict[type[ast.AST], str] = {
    ast.BinOp: "`{}` is left out",
    ast.UnaryOp: "the part before `{}` is left out",
    ast.Call: "`{}` is used without the call",
    ast.Subscript: "all of `{}` is used",
    ast.IfExp: "`{}` is used in either case",
}
"""What it means that only one part is left; of an operation, by the other part."""
JOINED: tuple[NamedChange, ...] = (
    ("name", "`{}` is used instead of {}",
     lambda name, own: own if isinstance(name, list) and not name else name),  # [] may hold itself
    ("factor-too-many", "there is an extra factor `{}`, with {}", operator.mul),
    ("name", "`{}` divides {}", lambda name, own: own / name),
)  # fmt: skip
"""What a name may do in a place."""


def rewritten(place: SolutionPlace) -> Iterator[Hypothesis]:
    """Yield the ways to rebuild the program in a place."""
    node = place.node
    texts = [ast.unparse(part) for part in place.parts]
    every = range(1, len(texts) + 1)
    if isinstance(node, ast.Attribute):
        for name in _taken_for(node.attr):
            words = f"`{name}` is used instead of `{node.attr}`"
            yield "function", words, operator.attrgetter(name), every
    for k, text in enumerate(texts):
        left = texts[1 - k] if isinstance(node, ast.BinOp) else text
        words = ONLY.get(type(node), "only `{}` is left").format(left)
        yield "left-out", words, lambda part: part, (k + 1,)
    match node:
        case ast.Name(id=own) if own in place.names:
            yield from joined(place)
        case ast.Constant(value=int() | float() as value) if not isinstance(
            value, bool
        ):
            others = {value + 1, value - 1, 2 * value, value / 2, -value}
            for other in others - {value}:
                words = f"{other:g} is used instead of {value:g}"
                yield "number", words, lambda other=other: other, ()
        case ast.BinOp(op=op) | ast.Compare(ops=[op]) | ast.BoolOp(op=op) if (
            len(texts) == 2
        ):
            yield from _operations(op, texts)
        case ast.Tuple() if len(texts) == 2:
            words = "`{}` and `{}` are swapped".format(*texts)
            yield "swapped", words, lambda a, b: (b, a), every


def _taken_for(method: str) -> Iterator[str]:
    """Yield the methods for which one is taken."""
    for group in METHODS:
        if method in group:
            yield from (other for other in group if other != method)


def _operations(op: ast.AST, texts: Sequence[str]) -> Iterator[Hypothesis]:
    """Yield another operation of the same family, and the operands the other way round."""
    left, right = texts
    for family in FAMILIES:
        if type(op) not in family:
            continue
        own_sign, _ = family[type(op)]
        for kind, (sign, operate) in family.items():
            if kind is type(op):
                yield "swapped", f"`{left}` and `{right}` are swapped", operate, (2, 1)
            else:
                words = f"`{sign}` is used instead of `{own_sign}` before `{right}`"
                yield "operation", words, operate, (1, 2)


def joined(place: SolutionPlace) -> Iterator[Hypothesis]:
    """Yield what a name does that is put into a place, or joined with what belongs there."""
    for k, name in enumerate(place.names, start=1 + len(place.parts)):
        for id_, words, join in JOINED:
            if id_ != "name" or name != place.text:
                yield id_, words.format(name, place.made_of), join, (k, 0)


def spread(fold: Change, x: Any, axis: int | None) -> Any:
    """Return a value folded along an axis, and standing everywhere along it."""
    return np.broadcast_to(fold(x, axis=axis, keepdims=True), np.shape(x))


VALUES: tuple[NamedChange, ...] = (
    ("missing", "is missing: it is 0", lambda x: 0 * x),
    ("missing", "is missing: it is 1", lambda x: 0 * x + 1),
    ("sign", "has its sign reversed", lambda x: -x),
    ("sign", "is replaced by its sign", np.sign),
    ("abs", "is replaced by its absolute value", np.abs),
    ("power", "is squared", lambda x: x * x),
    ("power", "is squared, and its sign is reversed", lambda x: -x * x),
    ("power", "is cubed", lambda x: x * x * x),
    ("inverse", "is inverted", lambda x: 1 / x),
    ("root", "is replaced by its square root", np.sqrt),
    ("root", "is replaced by the square root of its absolute value", lambda x: np.sqrt(np.abs(x))),
    ("complement", "is subtracted from 1", lambda x: 1 - x),
    ("doubled", "is doubled", lambda x: 2 * x),
    *(("factor", f"is {c} times what it should be", partial(np.multiply, float(c)))
      for c in map(Fraction, ("1/2", "-2", "3", "1/3", "4", "1/4", "5", "1/5"))),
    ("shift", "is larger by 1", lambda x: x + 1),
    ("shift", "is smaller by 1", lambda x: x - 1),
)  # fmt: skip
ALONG: tuple[NamedChange, ...] = (
    ("moved", "is moved by one place along {}", partial(np.roll, shift=1)),
    ("moved", "is moved back by one place along {}", partial(np.roll, shift=-1)),
    ("order", "is reversed along {}", np.flip),
    ("order", "is sorted along {}", np.sort),
)
FOLDS: tuple[NamedChange, ...] = (
    ("added-up", "is summed over {}", np.sum),
    ("added-up", "is summed over {}, and repeated everywhere", partial(spread, np.sum)),
    ("averaged", "is averaged over {}", np.mean),
    (
        "averaged",
        "is averaged over {}, and repeated everywhere",
        partial(spread, np.mean),
    ),
)
NAMES = ("its first axis", "its second axis", "its third axis", "its fourth axis")


def of_value(what: str, ndim: int, axes: Sequence[str]) -> Iterator[Hypothesis]:
    """Yield what may be made of a value of so many axes; ``what`` says which value it is."""
    names: Sequence[str] = NAMES[:ndim]
    if len(axes) == ndim:
        names = [f"the {axis}s" for axis in axes]
    rows = list(VALUES)
    if ndim:
        rows.append(("transposed", "is transposed", np.transpose))
    for axis, name in enumerate(names):
        rows += _along(ALONG, axis, name)
    for axis, name in enumerate(names):
        rows += _along(FOLDS, axis, name)
    if ndim:
        rows += _along(FOLDS, None, "everything")
    for id_, words, change in rows:
        yield id_, f"{what} {words}", change, (0,)


def _along(
    table: Sequence[NamedChange], axis: int | None, name: str
) -> Iterator[NamedChange]:
    """Yield the changes of a table along an axis, or over everything."""
    for id_, words, change in table:
        yield id_, words.format(name), partial(change, axis=axis)
