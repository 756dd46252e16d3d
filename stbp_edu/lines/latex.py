"""Expressions and names as LaTeX, made when they are asked for."""

from __future__ import annotations

import ast
from collections.abc import Mapping

from stbp_edu.lines.expressions import Function, args_of, op_of
from stbp_edu.lines.operations import OPERATIONS

GREEK = [
    "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa",
    "lambda_", "mu", "nu", "xi", "pi", "rho", "sigma", "tau", "upsilon", "phi", "chi", "psi",
    "omega", "Gamma", "Delta", "Theta", "Lambda", "Xi", "Pi", "Sigma", "Phi", "Psi", "Omega",
]  # fmt: skip
"""The names of Greek letters; one that is a word of Python has an underscore at its end."""
NAMED = {name: rf"\{name.rstrip('_')}" for name in GREEK}
NAMED |= {"v_th": "V_{th}", "epsilon": r"\varepsilon"}
"""Names that have a sign of their own, as LaTeX."""


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

    >>> from stbp_edu.lines.expressions import parse
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
