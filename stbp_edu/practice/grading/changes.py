"""What may stand in place of one node of the right answer: the smallest changes, in words.

A change replaces one name, number, comparison or operation, leaves out one factor, term or call,
adds one factor, or turns one sign round.
"""

import ast
import operator
from collections.abc import Callable, Iterator, Sequence
from typing import Any

Thunk = Callable[[], Any]
Put = Callable[[Thunk, Sequence[Thunk], Sequence[Thunk]], Any]
"""Returns what stands in a place, given what belongs there, its parts, and the known names."""
Change = tuple[str, str, Put]
"""The id of a finding, its words after "it is what you get", and what to put there."""


def power(a: Any, b: Any) -> Any:
    """Return a ** b, unless it is a whole number of thousands of digits."""
    if isinstance(a, int) and isinstance(b, int) and abs(b) * a.bit_length() > 10_000:
        raise OverflowError("the power is too large")
    return a**b


SIGNS: dict[type[ast.operator], tuple[str, Callable[[Any, Any], Any]]] = {
    ast.Add: ("+", operator.add), ast.Sub: ("-", operator.sub), ast.Mult: ("*", operator.mul),
    ast.Div: ("/", operator.truediv), ast.MatMult: ("@", operator.matmul), ast.Pow: ("**", power),
    ast.FloorDiv: ("//", operator.floordiv),
}  # fmt: skip
OPPOSITE: dict[type[ast.operator], tuple[type[ast.operator], str]] = {
    ast.Add: (ast.Sub, "with a minus in place of the plus before"),
    ast.Sub: (ast.Add, "with a plus in place of the minus before"),
    ast.Mult: (ast.Div, "by dividing, not multiplying, by"),
    ast.Div: (ast.Mult, "by multiplying, not dividing, by"),
}
COMPARISONS: dict[type[ast.cmpop], tuple[str, Callable[[Any, Any], Any]]] = {
    ast.Lt: ("<", operator.lt), ast.LtE: ("<=", operator.le), ast.Gt: (">", operator.gt),
    ast.GtE: (">=", operator.ge), ast.Eq: ("==", operator.eq), ast.NotEq: ("!=", operator.ne),
}  # fmt: skip
LOGIC: dict[str, Put] = {
    "and": lambda whole, parts, names: parts[0]() and parts[1](),
    "or": lambda whole, parts, names: parts[0]() or parts[1](),
}
METHODS = (
    ("mean", "sum", "max", "min", "std", "prod"), ("argmax", "argmin", "max"),
    ("f", "df", "h", "g", "H"), ("maximum", "minimum"), ("exp", "expm1", "cosh", "sin"),
    ("abs", "square", "sign"), ("sqrt", "square", "abs"), ("tanh", "sin", "arctan"),
    ("random", "normal"), ("zeros", "ones"), ("zeros_like", "ones_like"),
)  # fmt: skip
"""Functions and methods that are taken for one another."""


def parts_of(node: ast.expr) -> list[ast.expr]:
    """Return the parts of a node that a change puts together anew."""
    match node:
        case ast.BinOp(left=left, right=right):
            return [left, right]
        case ast.UnaryOp(operand=operand):
            return [operand]
        case ast.Compare(left=left, comparators=[right]):
            return [left, right]
        case ast.Attribute(value=value) | ast.Subscript(value=value):
            return [value]
        case ast.Call(func=function, args=arguments):
            of = [function.value] if isinstance(function, ast.Attribute) else []
            plain = [a for a in arguments if not isinstance(a, ast.Starred)]
            return [*plain[:2], *[v for v in of if not is_module(v)]]
        case ast.Tuple(elts=[_, _] as parts) | ast.BoolOp(values=[_, _] as parts):
            return [] if any(isinstance(p, ast.Starred) for p in parts) else list(parts)
        case ast.IfExp(body=body, orelse=other):
            return [body, other]
    return []


def is_module(node: ast.expr) -> bool:
    """Return whether a node is NumPy itself."""
    return isinstance(node, ast.Name) and node.id == "np"


def changes(
    node: ast.expr, names: Sequence[str], *, factors: int, called: bool = False
) -> Iterator[Change]:
    """Yield what may stand in place of a node.

    Args:
        node: what belongs there.
        names: the names that are known there.
        factors: how many of these are tried as a factor too many.
        called: whether it is a function that is called: then only another one is tried.
    """
    match node:
        case ast.Attribute(attr=own):
            for name in (n for group in METHODS if own in group for n in group if n != own):
                put = _apply(lambda x, name=name: getattr(x, name))
                yield "function", f"with `{name}` in place of `{own}`", put
        case ast.Name(id="reversed"):
            yield "function", "with `sorted` in place of `reversed`", lambda *_: sorted
    if called:
        return
    match node:
        case ast.Name(id=own) if own in names:
            yield from _of_name(own, names, factors)
        case ast.BinOp():
            yield from _of_operation(node)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            yield "sign", f"without the minus before `{ast.unparse(operand)}`", _part(0)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield "not", f"without the `not` before `{ast.unparse(operand)}`", _part(0)
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
            for other in (value + 1, value - 1, 2 * value, value / 2, -value):
                if other != value:
                    words = f"with {other:g} in place of {value:g}"
                    yield "number", words, lambda *_, other=other: other
        case ast.Compare(ops=[op]) if type(op) in COMPARISONS:
            own = COMPARISONS[type(op)][0]
            for sign, compare in COMPARISONS.values():
                if sign != own:
                    yield "comparison", f"with `{sign}` in place of `{own}`", _apply(compare)
        case ast.BoolOp(op=op, values=[_, _]):
            word, instead = ("and", "or") if isinstance(op, ast.And) else ("or", "and")
            yield "logic", f"with `{instead}` in place of `{word}`", LOGIC[instead]
        case ast.IfExp(body=body, orelse=orelse):
            yield "always", f"with `{ast.unparse(body)}` in either case", _part(0)
            yield "always", f"with `{ast.unparse(orelse)}` in either case", _part(1)
        case ast.Tuple(elts=[first, second]) if parts_of(node):
            words = f"with `{ast.unparse(first)}` and `{ast.unparse(second)}` swapped"
            yield "swapped", words, lambda whole, parts, names: (parts[1](), parts[0]())
        case ast.Call(func=function):
            for k in range(len(parts_of(node))):
                yield "call", f"without `{ast.unparse(function)}`", _part(k)
        case ast.Subscript(value=value):
            yield "index", f"with all of `{ast.unparse(value)}`", _part(0)


def _of_name(own: str, names: Sequence[str], factors: int) -> Iterator[Change]:
    """Yield the other names, and then the factors too many."""
    for k, name in enumerate(names):
        if name != own:
            words = f"with `{name}` in place of `{own}`"
            yield "name", words, named(k)
    for k, name in enumerate(names[:factors]):
        words = f"with a factor `{name}` too many"
        yield "factor-too-many", words, named(k, operator.mul)


def _of_operation(node: ast.BinOp) -> Iterator[Change]:
    """Yield what may stand in place of one operation."""
    left, right, own = ast.unparse(node.left), ast.unparse(node.right), type(node.op)
    kind = "term" if own in (ast.Add, ast.Sub) else "factor"
    if own in (ast.Add, ast.Sub, ast.Mult, ast.MatMult):
        yield "left-out", f"without the {kind} `{left}`", _part(1)
    words = f"without the power of `{left}`" if own is ast.Pow else f"without the {kind} `{right}`"
    yield "left-out", words, _part(0)
    opposite, words = OPPOSITE.get(own, (None, ""))
    if opposite:
        yield "operation", f"{words} `{right}`", _apply(SIGNS[opposite][1])
    operate = SIGNS[own][1] if own in SIGNS else None
    if operate:
        words = f"with a minus before `{left}`"
        yield "sign", words, _apply(lambda a, b: operate(-a, b))
    for other, (sign, change) in SIGNS.items():
        if operate and other not in (own, opposite):
            words = f"with `{sign}` in place of `{SIGNS[own][0]}` before `{right}`"
            yield "operation", words, _apply(change)
    if operate and own not in (ast.Add, ast.Mult):
        words = f"with `{left}` and `{right}` swapped"
        yield "swapped", words, _apply(lambda a, b: operate(b, a))


def named(k: int, join: Callable[[Any, Any], Any] | None = None) -> Put:
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
