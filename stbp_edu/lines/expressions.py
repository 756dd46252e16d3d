"""Expressions: Python's own syntax trees, their values, and their text as Python and as LaTeX.

Nothing of a tree is run but what a table of operations allows.

An expression is an ``ast.expr`` made of numbers, names, signs and calls. A state's name is its
value of this step, and with ``_last`` or ``_next`` at its end, that of the step before or after.
A call of a function of the reader's carries the function, whose arguments begin with an underscore,
as no other name does. Trees are never changed, so their parts may be shared.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from stbp_edu.lines.operations import OPERATIONS

SIGNS: dict[type[ast.AST], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.Pow: "**",
    ast.USub: "neg",
}
OPERATORS = {sign: kind for kind, sign in SIGNS.items()}
ZERO = ast.Constant(0)
ONE = ast.Constant(1)


GREEK = [
    "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa",
    "lambda_", "mu", "nu", "xi", "pi", "rho", "sigma", "tau", "upsilon", "phi", "chi", "psi",
    "omega", "Gamma", "Delta", "Theta", "Lambda", "Xi", "Pi", "Sigma", "Phi", "Psi", "Omega",
]  # fmt: skip
"""The names of Greek letters; one that is a word of Python has an underscore at its end."""
NAMED = {name: rf"\{name.rstrip('_')}" for name in GREEK}
NAMED |= {"v_th": "V_{th}", "epsilon": r"\varepsilon"}
"""Names that have a sign of their own, as LaTeX."""


class Function(NamedTuple):
    r"""A function that the reader has defined, or a derivative of one.

    Its label is its name in LaTeX: ``f``, ``f'``, ``\partial_{\tau}f``.
    """

    label: str
    parameters: tuple[str, ...]
    body: ast.expr

    def __call__(self, *args: ast.expr) -> ast.Call:
        """Return its call, which carries it."""
        called = ast.Call(ast.Name(self.label), list(args), [])
        called.function = self  # type: ignore[attr-defined]
        return called


def parse(text: str) -> ast.expr:
    """Return the expression of a text that is known to be one."""
    return ast.parse(text, mode="eval").body


def call(op: str, *args: ast.expr) -> ast.expr:
    """Return an operation on expressions.

    >>> ast.unparse(call("*", parse("a + b"), call("exp", parse("c"))))
    '(a + b) * exp(c)'
    """
    if op not in OPERATORS:
        return ast.Call(ast.Name(op), list(args), [])
    sign: Any = OPERATORS[op]()
    return (
        ast.UnaryOp(sign, *args)
        if len(args) == 1
        else ast.BinOp(args[0], sign, *args[1:])
    )


def op_of(tree: ast.expr) -> str | Function:
    """Return the operation of an expression, or the reader's function; of others ``""``."""
    match tree:
        case ast.BinOp(op=sign) | ast.UnaryOp(op=sign):
            return SIGNS[type(sign)]
        case ast.Call(func=ast.Name(id=name)):
            own: Function | None = getattr(tree, "function", None)
            return own or name
    return ""


def args_of(tree: ast.expr) -> list[ast.expr]:
    """Return the arguments of an operation or a call."""
    match tree:
        case ast.BinOp(left=a, right=b):
            return [a, b]
        case ast.UnaryOp(operand=a):
            return [a]
        case ast.Call(args=args):
            return args
    return []


def with_args(tree: ast.expr, args: list[ast.expr]) -> ast.expr:
    """Return the same operation on other arguments."""
    op = op_of(tree)
    if not op:
        return tree
    return op(*args) if isinstance(op, Function) else call(op, *args)


def key(tree: ast.expr) -> str:
    """Return a text that is the same for equal expressions, and no others."""
    known: str | None = getattr(tree, "_key", None)
    if known is not None:
        return known
    match tree:
        case ast.Constant(value=float() as number) if (
            number.is_integer() and abs(number) < 2**53
        ):
            found = str(int(number))
        case ast.Constant(value=number):
            found = repr(number)
        case ast.Name(id=name):
            found = name
        case _:
            op = op_of(tree)
            if isinstance(op, Function):
                op = f"({op.label} {op.parameters} {key(op.body)})"
            found = f"{op}({', '.join(map(key, args_of(tree)))})"
    tree._key = found  # type: ignore[attr-defined]
    return found


def evaluate(
    tree: ast.expr,
    values: Mapping[str, Any],
    functions: Mapping[str, Callable[..., Any]] | None = None,
    xp: Any = np,
    number: Callable[[Any], Any] = np.float64,
) -> Any:
    """Return the value of an expression.

    Args:
        tree: the expression.
        values: those of its names.
        functions: others than those of the table, by name, such as ``spike`` and ``h``.
        xp: NumPy, or a module like it.
        number: makes a number of one that is written.

    >>> float(evaluate(parse("2 * u + max(u, v)"), {"u": 1.5, "v": 4}))
    7.0
    """
    match tree:
        case ast.Constant(value=value):
            return number(value)
        case ast.Name(id=name):
            return values[name]
    op = op_of(tree)
    args = [evaluate(arg, values, functions, xp, number) for arg in args_of(tree)]
    if isinstance(op, Function):
        inside = {**values, **dict(zip(op.parameters, args, strict=True))}
        return evaluate(op.body, inside, functions, xp, number)
    if functions and op in functions:
        return functions[op](*args)
    return OPERATIONS[op].value(xp, *args)


def replaced(tree: ast.expr, by: Mapping[str, ast.expr]) -> ast.expr:
    """Return an expression with others in place of some names.

    >>> ast.unparse(replaced(parse("u * w"), {"u": parse("a + b")}))
    '(a + b) * w'
    """
    if isinstance(tree, ast.Name):
        return by.get(tree.id, tree)
    return with_args(tree, [replaced(arg, by) for arg in args_of(tree)])


def written_out(tree: ast.expr) -> ast.expr:
    """Return an expression with the bodies of the reader's functions in place of their calls."""
    op = op_of(tree)
    if isinstance(op, Function):
        given = dict(zip(op.parameters, args_of(tree), strict=True))
        return written_out(replaced(op.body, given))
    return with_args(tree, [written_out(arg) for arg in args_of(tree)])


def nodes_in(tree: ast.expr) -> Iterator[ast.expr]:
    """Yield an expression and all that it is made of, also the bodies of functions."""
    yield tree
    for arg in args_of(tree):
        yield from nodes_in(arg)
    op = op_of(tree)
    if isinstance(op, Function):
        for node in nodes_in(op.body):
            if key(node) not in op.parameters:
                yield node


def names_in(*trees: ast.expr) -> list[str]:
    """Return the names in expressions and in the functions that they call, each once, in order.

    >>> names_in(parse("u * exp(w) + u"))
    ['u', 'w']
    """
    found: dict[str, None] = {}
    for tree in trees:
        for node in nodes_in(tree):
            if isinstance(node, ast.Name):
                found[node.id] = None
    return list(found)


def size(tree: ast.expr, of: Mapping[str, int] | None = None) -> int:
    """Return how many numbers, names and operations an expression has when it is written out.

    ``of``: the sizes of what replaces some names.
    """
    op = op_of(tree)
    if isinstance(tree, ast.Name):
        return (of or {}).get(tree.id, 1)
    sizes = [size(arg, of) for arg in args_of(tree)]
    if isinstance(op, Function):
        return size(op.body, dict(zip(op.parameters, sizes, strict=True)))
    return 1 + sum(sizes)


def python(tree: ast.expr) -> str:
    """Return an expression as Python, with the reader's functions written out.

    >>> python(parse("-(a * b) + max(c, 2)"))
    '-a * b + maximum(c, 2)'
    """
    return ast.unparse(_as_written(written_out(tree)))


def _as_written(tree: ast.expr) -> ast.expr:
    """Return an expression with the names that a program calls, and each minus at a first factor.

    It has the same value, to the bit.
    """
    match tree:
        case ast.UnaryOp(
            operand=ast.BinOp(left=a, op=ast.Mult() | ast.Div() as sign, right=b)
        ):
            return ast.BinOp(_as_written(call("neg", a)), sign, _as_written(b))
        case ast.Call(func=ast.Name(id=name), args=args) if name in OPERATIONS:
            return call(OPERATIONS[name].written, *map(_as_written, args))
    return with_args(tree, [_as_written(arg) for arg in args_of(tree)])


def symbol(name: str) -> str:
    r"""Return a name as LaTeX: ``tau`` is \tau, ``v_th`` is V_{th}, ``w_in`` is w_{in}.

    >>> [symbol(name) for name in ("tau", "v_th", "w_in", "rate", "u")]
    ['\\tau', 'V_{th}', 'w_{in}', '\\mathrm{rate}', 'u']
    """
    if name in NAMED:
        return NAMED[name]
    if len(name) == 1:
        return name
    head, _, below = name.partition("_")
    has_symbol = head in NAMED or len(head) == 1
    if has_symbol and below:
        return rf"{symbol(head)}_{{{below.removeprefix('_')}}}"
    escaped = name.replace("_", r"\_")
    return rf"\mathrm{{{escaped}}}"


def indexed(name: str) -> str:
    """Return a name as LaTeX to which an index may be added."""
    letter = symbol(name)
    return f"{{{letter}}}" if "_" in letter else letter


def latex(
    tree: ast.expr, states: Mapping[str, str] | None = None, *, factor: bool = False
) -> str:
    r"""Return an expression as LaTeX; as a ``factor``, a sum is in brackets.

    ``states``: names that are written in another way, with indices.

    >>> latex(parse("exp(u / tau) * (1 - o)"), {"u": "u^t"})
    'e^{\\frac{u^t}{\\tau}} (1-o)'
    """
    text, binds = _write(tree, states or {})
    is_sum = binds == 1 and op_of(tree) != "neg"
    return f"({text})" if factor and is_sum else text


def _write(tree: ast.expr, states: Mapping[str, str]) -> tuple[str, int]:
    """Return an expression, and how tightly it binds: 1 a sum, 2 a product, 5 a name."""
    match tree:
        case ast.Constant(value=value):
            return str(value), 5
        case ast.UnaryOp(operand=ast.Constant(value=value)):
            return f"-{value!r}", 2
        case ast.Name(id=name):
            return (states[name], 4) if name in states else (symbol(name), 5)
    op = op_of(tree)
    args = args_of(tree)
    if isinstance(op, Function) or op not in OPERATIONS:
        label = op.label if isinstance(op, Function) else op
        inside = [_write(arg, states)[0] for arg in args]
        return f"{label}({','.join(inside)})", 5
    form, binds, wanted = OPERATIONS[op].latex
    inside = []
    for arg, need in zip(args, wanted, strict=True):
        text, bound = _write(arg, states)
        inside.append(f"({text})" if bound < need else text)
    if op == "*" and inside[1][0].isdigit():
        form = r"{}\cdot{}"
    return form.format(*inside), binds
