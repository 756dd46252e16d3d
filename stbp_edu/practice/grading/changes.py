"""What may stand in place of one node of the right answer: the smallest changes, in words.

A change replaces one name, number, comparison or operation, leaves out one factor, term or call,
adds one factor, or turns one sign round.
"""

import ast
import operator
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from stbp_edu.practice.grading.places import Place, Put, Thunk, parts_of

Change = tuple[str, str, Put]
"""The id of a finding, its words after "it is what you get", and what to put there."""
Pair = Callable[[Any, Any], Any]


def power(a: Any, b: Any) -> Any:
    """Return a ** b, unless it is a whole number of thousands of digits."""
    if isinstance(a, int) and isinstance(b, int) and abs(b) * a.bit_length() > 10_000:
        raise OverflowError("the power is too large")
    return a**b


SIGNS: dict[type[ast.AST], tuple[str, Pair]] = {
    ast.Add: ("+", operator.add), ast.Sub: ("-", operator.sub), ast.Mult: ("*", operator.mul),
    ast.Div: ("/", operator.truediv), ast.MatMult: ("@", operator.matmul), ast.Pow: ("**", power),
    ast.FloorDiv: ("//", operator.floordiv),
}  # fmt: skip
OPPOSITE: dict[type[ast.AST], tuple[type[ast.AST], str]] = {
    ast.Add: (ast.Sub, "with a minus in place of the plus before"),
    ast.Sub: (ast.Add, "with a plus in place of the minus before"),
    ast.Mult: (ast.Div, "by dividing, not multiplying, by"),
    ast.Div: (ast.Mult, "by multiplying, not dividing, by"),
}
COMPARISONS: dict[type[ast.AST], tuple[str, Pair]] = {
    ast.Lt: ("<", operator.lt), ast.LtE: ("<=", operator.le), ast.Gt: (">", operator.gt),
    ast.GtE: (">=", operator.ge), ast.Eq: ("==", operator.eq), ast.NotEq: ("!=", operator.ne),
}  # fmt: skip
METHODS = (
    ("mean", "sum", "max", "min", "std", "prod"), ("argmax", "argmin", "max"),
    ("f", "df", "h", "g", "H"), ("maximum", "minimum"), ("exp", "expm1", "cosh", "sin"),
    ("abs", "square", "sign"), ("sqrt", "square", "abs"), ("tanh", "sin", "arctan"),
    ("random", "normal"), ("zeros", "ones"), ("zeros_like", "ones_like"),
)  # fmt: skip
"""Functions and methods that are taken for one another."""


def changes(place: Place, factors: int) -> Iterator[Change]:
    """Yield what may stand in a place; so many names are tried as a factor too many."""
    node, parts = place.node, parts_of(place.node)
    texts = [ast.unparse(part) for part in parts]
    match node:
        case ast.Attribute(attr=own):
            for name in (n for group in METHODS if own in group for n in group if n != own):
                put = _apply(lambda x, name=name: getattr(x, name))
                yield "function", f"with `{name}` in place of `{own}`", put
        case ast.Name(id="reversed"):
            yield "function", "with `sorted` in place of `reversed`", lambda *_: sorted
    if place.called:
        return
    match node:
        case ast.Name(id=own) if own in place.names:
            for k, name in enumerate(place.names):
                if name != own:
                    yield "name", f"with `{name}` in place of `{own}`", named(k)
            for k, name in enumerate(place.names[:factors]):
                words = f"with a factor `{name}` too many"
                yield "factor-too-many", words, named(k, operator.mul)
        case ast.BinOp(op=op):
            yield from _of_operation(type(op), *texts)
        case ast.UnaryOp(op=ast.USub()):
            yield "sign", f"without the minus before `{texts[0]}`", _part(0)
        case ast.UnaryOp(op=ast.Not()):
            yield "not", f"without the `not` before `{texts[0]}`", _part(0)
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
            for other in {value + 1, value - 1, 2 * value, value / 2, -value} - {value}:
                words = f"with {other:g} in place of {value:g}"
                yield "number", words, lambda *_, other=other: other
        case ast.Compare(ops=[op]) if type(op) in COMPARISONS:
            for sign, compare in COMPARISONS.values():
                if sign != (own := COMPARISONS[type(op)][0]):
                    yield "comparison", f"with `{sign}` in place of `{own}`", _apply(compare)
        case ast.BoolOp(op=op) if len(parts) == 2:
            both = isinstance(op, ast.And)
            words = "with `or` in place of `and`" if both else "with `and` in place of `or`"
            yield "logic", words, partial(_logic, either=both)
        case ast.IfExp():
            for k in (1, 2):
                yield "always", f"with `{texts[k]}` in either case", _part(k)
        case ast.Tuple() if len(parts) == 2:
            words = f"with `{texts[0]}` and `{texts[1]}` swapped"
            yield "swapped", words, _apply(lambda a, b: (b, a))
        case ast.Call(func=function):
            for k in range(len(parts)):
                yield "call", f"without `{ast.unparse(function)}`", _part(k)
        case ast.Subscript():
            yield "index", f"with all of `{texts[0]}`", _part(0)


def _of_operation(own: type[ast.AST], left: str, right: str) -> Iterator[Change]:
    """Yield what may stand in place of one operation."""
    kind = "term" if own in (ast.Add, ast.Sub) else "factor"
    if own in (ast.Add, ast.Sub, ast.Mult, ast.MatMult):
        yield "left-out", f"without the {kind} `{left}`", _part(1)
    words = f"without the power of `{left}`" if own is ast.Pow else f"without the {kind} `{right}`"
    yield "left-out", words, _part(0)
    if own not in SIGNS:
        return
    opposite, words = OPPOSITE.get(own, (None, ""))
    if opposite:
        yield "operation", f"{words} `{right}`", _apply(SIGNS[opposite][1])
    sign, operate = SIGNS[own]
    yield "sign", f"with a minus before `{left}`", _apply(lambda a, b: operate(-a, b))
    for other, (instead, change) in SIGNS.items():
        if other not in (own, opposite):
            words = f"with `{instead}` in place of `{sign}` before `{right}`"
            yield "operation", words, _apply(change)
    if own not in (ast.Add, ast.Mult):
        words = f"with `{left}` and `{right}` swapped"
        yield "swapped", words, _apply(lambda a, b: operate(b, a))


def named(k: int, join: Pair | None = None) -> Put:
    """Return what puts a name in place of the whole, or joins it with the whole."""

    def put(whole: Thunk, parts: Sequence[Thunk], names: Sequence[Thunk]) -> Any:
        value = names[k]()
        if isinstance(value, list) and not value:
            raise TypeError("an empty list cannot stand here")  # it might be put into itself
        return value if join is None else join(whole(), value)

    return put


def _part(k: int) -> Put:
    """Return what puts one part in place of the whole."""
    return lambda whole, parts, names: parts[k]()


def _apply(function: Callable[..., Any]) -> Put:
    """Return what joins the parts by another function."""
    return lambda whole, parts, names: function(*(part() for part in parts))


def _logic(whole: Thunk, parts: Sequence[Thunk], names: Sequence[Thunk], *, either: bool) -> Any:
    """Return one of two parts, as "or" does, or as "and" does."""
    return (parts[0]() or parts[1]()) if either else (parts[0]() and parts[1]())
