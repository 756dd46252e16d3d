"""Expressions: trees of numbers, names and operations.

They are read from text of which nothing is run, or written with Python's signs: ``1 - a * b`` of
two names is one. The operations are ``+ - * / **``, exp, log, tanh, sqrt, abs, min, max, spike, and
functions that are defined in a line of their own. A tree can be evaluated on arrays, and written as
LaTeX or as Python. What is written as Python has the brackets of the tree, so it gives the
same bits.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from stbp_edu.lines import derivatives
from stbp_edu.lines import expressions as lines


def call(op: str, *args: Any) -> Call:
    """Return an operation on expressions and numbers."""
    return Call(
        op, tuple(Number(arg) if isinstance(arg, int | float) else arg for arg in args)
    )


def _signs(op: str) -> tuple[Callable[..., Call], Callable[..., Call]]:
    """Return the methods of an operation: with a tree on its left, and on its right."""

    def signed(a: Any, *b: Any) -> Call:
        """Return the operation on this expression, and on another."""
        return call(op, a, *b)

    return signed, lambda b, a: call(op, a, b)


class Operand:
    """What Python's signs make operations of."""

    __add__, __radd__ = _signs("+")
    __sub__, __rsub__ = _signs("-")
    __mul__, __rmul__ = _signs("*")
    __truediv__, __rtruediv__ = _signs("/")
    __pow__, __rpow__ = _signs("**")
    __ge__, __le__ = _signs("at_least")
    __neg__ = _signs("neg")[0]

    def __lt__(self, other: Any) -> Call:
        return 1 - (self >= other)


@dataclass(frozen=True)
class Number(Operand):
    """A number."""

    value: int | float


@dataclass(frozen=True)
class Name(Operand):
    """A constant, a parameter of a function, or a state ``"now"`` or at the ``"last"`` step."""

    name: str
    when: str = ""


@dataclass(frozen=True)
class Function:
    r"""A function that the reader has defined, or a derivative of one.

    Its label is its name in LaTeX: ``f``, ``f'``, ``\partial_{\tau}f``.
    """

    label: str
    parameters: tuple[Name, ...]
    body: Expression


@dataclass(frozen=True)
class Call(Operand):
    """An operation on its arguments; a minus before one argument is the operation ``"neg"``."""

    op: str | Function
    args: tuple[Expression, ...]

    def __post_init__(self) -> None:
        """Keep the hash, which would walk the tree each time that it is asked for."""
        object.__setattr__(self, "_hash", hash((self.op, self.args)))

    def __hash__(self) -> int:
        return self._hash  # type: ignore[attr-defined]

    def __reduce__(self) -> Any:
        """Return the pickled form: hashes of strings differ from process to process."""
        return Call, (self.op, self.args)


Expression = Number | Name | Call
ZERO = Number(0)
ONE = Number(1)

OPERATIONS: dict[str, Callable[..., Any]] = {
    "+": lambda xp, a, b: a + b,
    "-": lambda xp, a, b: a - b,
    "*": lambda xp, a, b: a * b,
    "/": lambda xp, a, b: a / b,
    "**": lambda xp, a, b: a**b,
    "neg": lambda xp, a: -a,
    "exp": lambda xp, a: xp.exp(a),
    "log": lambda xp, a: xp.log(a),
    "tanh": lambda xp, a: xp.tanh(a),
    "sqrt": lambda xp, a: xp.sqrt(a),
    "abs": lambda xp, a: xp.where(a >= 0, a, -a),
    "min": lambda xp, a, b: xp.where(b >= a, a, b),
    "max": lambda xp, a, b: xp.where(a >= b, a, b),
    "at_least": lambda xp, a, b: xp.where(a >= b, 1.0, 0.0),
}
"""What each operation does with numbers or arrays, in a module xp: NumPy, or autograd's."""

FUNCTIONS = ("exp", "log", "tanh", "sqrt", "abs", "min", "max", "spike")
"""The functions that a text may call."""


def evaluate(
    tree: Expression,
    value_of: Callable[[Name], Any],
    spike: Mapping[str, Callable[[Any], Any]],
    xp: Any = np,
) -> Any:
    """Return the value of an expression, from the values of names, in NumPy or a module like it.

    ``spike``: by name, the functions ``"spike"`` and its derivative ``"h"``.
    """
    if isinstance(tree, Number):
        return np.float64(tree.value)
    if isinstance(tree, Name):
        return value_of(tree)
    f = tree.op
    values = [evaluate(arg, value_of, spike, xp) for arg in tree.args]
    if isinstance(f, Function):
        given = dict(zip(f.parameters, values, strict=True))

        def inside(name: Name) -> Any:
            """Return the value of a name in the body of the function."""
            return given[name] if name in given else value_of(name)

        return evaluate(f.body, inside, spike, xp)
    if f in spike:
        return spike[f](*values)
    return OPERATIONS[f](xp, *values)


def replaced(tree: Expression, by: Mapping[Name, Expression]) -> Expression:
    """Return an expression with other ones in place of some names."""
    if isinstance(tree, Call):
        args = [replaced(arg, by) for arg in tree.args]
        return Call(tree.op, tuple(args))
    if isinstance(tree, Name):
        return by.get(tree, tree)
    return tree


def written_out(tree: Expression) -> Expression:
    """Return an expression with the bodies of the reader's functions in place of their calls."""
    if not isinstance(tree, Call):
        return tree
    f = tree.op
    if isinstance(f, Function):
        given = dict(zip(f.parameters, tree.args, strict=True))
        return written_out(replaced(f.body, given))
    return Call(f, tuple(map(written_out, tree.args)))


def nodes_in(tree: Expression) -> Iterator[Expression]:
    """Yield an expression and all that it is made of, also the bodies of functions."""
    yield tree
    if isinstance(tree, Call):
        for arg in tree.args:
            yield from nodes_in(arg)
        f = tree.op
        if isinstance(f, Function):
            yield from (node for node in nodes_in(f.body) if node not in f.parameters)


def names_in(tree: Expression) -> Iterator[Name]:
    """Yield the names in an expression, also those in the bodies of functions."""
    return (node for node in nodes_in(tree) if isinstance(node, Name))


def ops_in(*trees: Expression) -> set[str | Function]:
    """Return the operations in some expressions, and the functions that they call."""
    found: set[str | Function] = set()
    for tree in trees:
        found |= {node.op for node in nodes_in(tree) if isinstance(node, Call)}
    return found


def size(tree: Expression, of: Mapping[Expression, int] | None = None) -> int:
    """Return how many numbers, names and operations an expression has when it is written out.

    ``of``: the sizes of what replaces some names.
    """
    if not isinstance(tree, Call):
        return (of or {}).get(tree, 1)
    sizes = [size(arg, of) for arg in tree.args]
    f = tree.op
    if isinstance(f, Function):
        return size(f.body, dict(zip(f.parameters, sizes, strict=True)))
    return 1 + sum(sizes)


Form = tuple[str, int, tuple[int, ...]]
"""How an operation is written, how tightly it binds, and how tightly its arguments have to."""
Style = dict[str, Form]
PYTHON: Style = {
    "+": ("{} + {}", 1, (1, 2)),
    "-": ("{} - {}", 1, (1, 2)),
    "neg": ("-{}", 2, (2,)),
    "*": ("{} * {}", 2, (2, 3)),
    "/": ("{} / {}", 2, (2, 3)),
    "**": ("{} ** {}", 4, (5, 4)),
    "min": ("minimum({}, {})", 5, (0, 0)),
    "max": ("maximum({}, {})", 5, (0, 0)),
    "where": ("where({}, {}, {})", 5, (0, 0, 0)),
}


def _write(
    tree: Expression, style: Style, name: Callable[[Name], str]
) -> tuple[str, int]:
    """Return an expression as text, and how tightly it binds: 1 a sum, 2 a product, 5 a name."""
    match tree:
        case Number(value):
            return f"{value}", 5 if value >= 0 else 2
        case Name():
            return name(tree), 5
        case Call(op, args):
            label = op.label if isinstance(op, Function) else op
            if label in style:
                form, binds, wanted = style[label]
            else:
                form, binds, wanted = _call_form(label, len(args))
            inside = []
            for arg, need in zip(args, wanted, strict=True):
                text, bound = _write(arg, style, name)
                if bound < need:
                    text = f"({text})"
                inside.append(text)
            return form.format(*inside), binds


def _call_form(label: str, many: int) -> Form:
    """Return how the call of a function with so many arguments is written."""
    places = ", ".join(["{}"] * many)
    escaped = label.replace("{", "{{").replace("}", "}}")
    return f"{escaped}({places})", 5, (0,) * many


def python(
    tree: Expression,
    name: Callable[[Name], str] = lambda one: one.name,
    style: Style = PYTHON,
) -> str:
    """Return an expression as Python, with the reader's functions written out."""
    return _write(written_out(tree), style, name)[0]


def tree_of(given: ast.expr) -> Expression:
    """Return an expression of the lines as a tree."""
    given = lines.written_out(given)
    if isinstance(given, ast.Constant):
        value: Any = given.value
        return Number(value)
    if isinstance(given, ast.Name):
        return Name(given.id)
    args = map(tree_of, lines.args_of(given))
    return Call(str(lines.op_of(given)), tuple(args))


def as_lines(tree: Expression) -> ast.expr:
    """Return a tree as an expression of the lines."""
    match tree:
        case Number(value):
            size = ast.Constant(abs(value))
            return size if value >= 0 else lines.call("neg", size)
        case Name(name):
            return ast.Name(name)
        case Call(op, args):
            return lines.call(str(op), *map(as_lines, args))


def tidy(tree: Expression) -> Expression:
    """Return a tree with 0, 1 and what cancels taken out."""
    return tree_of(derivatives.tidy(as_lines(tree)))
