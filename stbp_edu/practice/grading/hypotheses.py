"""What may be wrong in one place of the right answer: rows of an id, words, and what is put there.

Some rows put the program together anew: a part for the whole, another operation, function, number
or name. The others make something else of the value that belongs there.
"""

import ast
import operator
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np

from stbp_edu.practice.grading.places import Place, Put, Thunk, parts_of

Row = tuple[str, str, Put]
"""The id of a finding, its words after "it is what you get if", and what to put there."""
Pair = Callable[[Any, Any], Any]


def power(a: Any, b: Any) -> Any:
    """Return a ** b, unless it is a whole number of thousands of digits."""
    if isinstance(a, int) and isinstance(b, int) and abs(b) * a.bit_length() > 10_000:
        raise OverflowError("the power is too large")
    return a**b


FAMILIES: tuple[dict[type[ast.AST], tuple[str, Pair]], ...] = (
    {ast.Add: ("+", operator.add), ast.Sub: ("-", operator.sub), ast.Mult: ("*", operator.mul),
     ast.Div: ("/", operator.truediv), ast.MatMult: ("@", operator.matmul), ast.Pow: ("**", power),
     ast.FloorDiv: ("//", operator.floordiv)},
    {ast.Lt: ("<", operator.lt), ast.LtE: ("<=", operator.le), ast.Gt: (">", operator.gt),
     ast.GtE: (">=", operator.ge), ast.Eq: ("==", operator.eq), ast.NotEq: ("!=", operator.ne)},
    {ast.And: ("and", lambda a, b: a and b), ast.Or: ("or", lambda a, b: a or b)},
)  # fmt: skip
METHODS = (
    ("mean", "sum", "max", "min", "std", "prod"), ("argmax", "argmin", "max"),
    ("f", "df", "h", "g", "H"), ("maximum", "minimum"), ("exp", "expm1", "cosh", "sin"),
    ("abs", "square", "sign"), ("sqrt", "square", "abs"), ("tanh", "sin", "arctan"),
    ("random", "normal"), ("zeros", "ones"), ("zeros_like", "ones_like"),
)  # fmt: skip
"""Functions and methods that are taken for one another."""
ONLY: dict[type[ast.AST], str] = {
    ast.BinOp: "`{}` is left out",
    ast.UnaryOp: "what stands before `{}` is left out",
    ast.Call: "`{}` stands there without the call",
    ast.Subscript: "all of `{}` stands there",
    ast.IfExp: "`{}` stands there in either case",
}
"""What it means that one part alone is left; of an operation, by the other part."""
JOINED: tuple[tuple[str, Pair], ...] = (
    ("`{}` stands in place of {}", lambda other, own: other),
    ("a factor `{}` is too many, with {}", operator.mul),
    ("`{}` divides {}", lambda other, own: own / other),
)
"""What a name may do in a place."""


def rewritten(place: Place) -> Iterator[Row]:
    """Yield how the program may be put together anew in a place."""
    node, parts = place.node, parts_of(place.node)
    texts = [ast.unparse(part) for part in parts]
    if isinstance(node, ast.Attribute):
        for name in (n for group in METHODS if node.attr in group for n in group if n != node.attr):
            put = _apply(lambda x, name=name: getattr(x, name))
            yield "function", f"`{name}` stands in place of `{node.attr}`", put
    if place.called:
        return
    for k, text in enumerate(texts):
        left = texts[1 - k] if isinstance(node, ast.BinOp) else text
        yield "left-out", ONLY.get(type(node), "only `{}` is left").format(left), _part(k)
    match node:
        case ast.Name(id=own) if own in place.names:
            yield from joined(place)
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
            for other in {value + 1, value - 1, 2 * value, value / 2, -value} - {value}:
                words = f"{other:g} stands in place of {value:g}"
                yield "number", words, lambda *_, other=other: other
        case ast.BinOp(op=op) | ast.Compare(ops=[op]) | ast.BoolOp(op=op) if len(parts) == 2:
            family = next((family for family in FAMILIES if type(op) in family), {})
            for own, operate in [family[type(op)]] if family else []:
                words = f"`{texts[0]}` and `{texts[1]}` are swapped"
                yield "swapped", words, _apply(lambda a, b, operate=operate: operate(b, a))
                for sign, instead in family.values():
                    words = f"`{sign}` stands in place of `{own}` before `{texts[1]}`"
                    yield "operation", words, _apply(instead)
        case ast.Tuple() if len(parts) == 2:
            words = f"`{texts[0]}` and `{texts[1]}` are swapped"
            yield "swapped", words, _apply(lambda a, b: (b, a))


def _part(k: int) -> Put:
    """Return what puts one part in place of the whole."""
    return lambda whole, parts, names: parts[k]()


def joined(place: Place) -> Iterator[Row]:
    """Yield what a name does that is put into a place, or joined with what belongs there."""
    for k, name in enumerate(place.names):
        for words, join in JOINED if name != place.text else JOINED[1:2]:
            id_ = "factor-too-many" if join is operator.mul else "name"
            yield id_, words.format(name, place.made_of), _named(k, join)


def _named(k: int, join: Pair) -> Put:
    """Return what joins a name with the whole."""

    def put(whole: Thunk, parts: Sequence[Thunk], names: Sequence[Thunk]) -> Any:
        value = names[k]()
        if isinstance(value, list) and not value:
            raise TypeError("an empty list cannot stand here")  # it might be put into itself
        return join(value, whole())

    return put


def _apply(function: Callable[..., Any]) -> Put:
    """Return what joins the parts by another function."""
    return lambda whole, parts, names: function(*(part() for part in parts))


VALUES: tuple[tuple[str, str, Callable[[Any], Any]], ...] = (
    ("missing", "is missing: 0 stands there", lambda x: 0 * x),
    ("missing", "is missing: 1 stands there", lambda x: 0 * x + 1),
    ("sign", "has its sign turned round", lambda x: -x),
    ("abs", "is taken without its sign", np.abs),
    ("abs", "is taken without its sign, and the sign is turned round", lambda x: -np.abs(x)),
    ("power", "is squared", lambda x: x * x),
    ("power", "is squared, and its sign is turned round", lambda x: -(x * x)),
    ("power", "is cubed", lambda x: x * x * x),
    ("inverse", "is turned upside down", lambda x: 1 / x),
    ("root", "has its square root taken", np.sqrt),
    ("root", "has the square root of its size taken", lambda x: np.sqrt(np.abs(x))),
    ("sign", "is replaced by its sign", np.sign),
    ("complement", "is taken from 1", lambda x: 1 - x),
    ("exp", "stands in an exponential", np.exp),
    ("exp", "lacks its exponential", np.log),
    ("doubled", "is doubled", lambda x: 2 * x),
    *(("factor", f"is {c} times what it should be", partial(np.multiply, float(c)))
      for c in map(Fraction, ("1/2", "-2", "3", "1/3", "4", "1/4", "5", "1/5"))),
    ("shift", "is larger by 1", lambda x: x + 1),
    ("shift", "is smaller by 1", lambda x: x - 1),
)  # fmt: skip
ARRAYS: tuple[tuple[str, str, Callable[[Any], Any]], ...] = (
    ("transposed", "is transposed", np.transpose),
    ("shape", "has an axis too many", lambda x: x[None]),
    ("shape", "has an axis too many at the end", lambda x: x[..., None]),
    ("shape", "has its entries in one row", np.ravel),
)
ALONG: tuple[tuple[str, str, Callable[[Any, int], Any]], ...] = (
    ("moved", "is moved by one place along {}", lambda x, a: np.roll(x, 1, a)),
    ("moved", "is moved back by one place along {}", lambda x, a: np.roll(x, -1, a)),
    ("order", "is turned round along {}", np.flip),
    ("order", "is sorted along {}", lambda x, a: np.sort(x, axis=a)),
    ("summed", "is summed up step by step along {}", np.cumsum),
    ("first", "is taken at the first of {} alone", lambda x, a: np.take(x, 0, axis=a)),
    ("last", "is taken at the last of {} alone", lambda x, a: np.take(x, -1, axis=a)),
    ("cut", "lacks the first of {}", lambda x, a: np.delete(x, 0, axis=a)),
    ("cut", "lacks the last of {}", lambda x, a: np.delete(x, -1, axis=a)),
)
FOLDS: tuple[tuple[str, str, Callable[..., Any]], ...] = (
    ("added-up", "is added up over {}", np.sum),
    ("averaged", "is averaged over {}", np.mean),
    ("extreme", "is replaced by its largest value over {}", np.max),
    ("extreme", "is replaced by its smallest value over {}", np.min),
)
NAMES = ("its first axis", "its second axis", "its third axis", "its fourth axis")


def of_value(ndim: int, axes: Sequence[str] = ()) -> Iterator[tuple[str, str, Any]]:
    """Yield what may be made of a value of so many axes: an id, words after "it", a function."""
    yield from VALUES
    if not ndim:
        return
    yield from ARRAYS
    names = [f"the {axis}s" for axis in axes] if len(axes) == ndim else NAMES[:ndim]
    for id_, words, along in ALONG:
        for k, name in enumerate(names):
            yield id_, words.format(name), partial(_along, along, k)
    for id_, words, fold in FOLDS:
        for axis, name in (*enumerate(names), (None, "everything")):
            yield id_, words.format(name), partial(fold, axis=axis)
            yield id_, f"{words.format(name)}, and stands everywhere", _kept(fold, axis)


def _along(change: Callable[[Any, int], Any], axis: int, x: Any) -> Any:
    """Return a value changed along one axis."""
    return change(x, axis)


def _kept(fold: Callable[..., Any], axis: int | None) -> Callable[[Any], Any]:
    """Return a fold that keeps the shape: its values stand everywhere along the axis."""
    return lambda x: np.broadcast_to(fold(x, axis=axis, keepdims=True), np.shape(x))
