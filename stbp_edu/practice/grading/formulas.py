"""Read a formula, of which only arithmetic is let through, and the values at which it is compared.

A symbol takes both signs unless what it stands for cannot be negative.
"""

import ast
import re
from collections.abc import Mapping
from functools import cache

import numpy as np

from stbp_edu import lines
from stbp_edu.lines.expressions import SIGNS, args_of, with_args
from stbp_edu.practice.tasks import FormulaBlank, Inputs
from stbp_edu.practice.tasks.programs import define

LONGEST = 400  # characters
POINTS = 8
NOT_NEGATIVE = {
    *("a", "tau", "T", "S", "dt", "pi", "h", "h_next", "f", "f_next"),
    *("rate", "sum_o", "o", "o_1", "o_2", "o_3"),
}
WRITTEN = {
    "δ": "delta",
    "ε": "eps",
    "τ": "tau",
    "π": "pi",
    "·": "*",
    "^": "**",
    "−": "-",
    "f'": "df",
    "f′": "df",  # as the page writes it
}
ALIASES = {"epsilon": "eps", "delta_last": "delta_T", "epsilon_next": "eps_next"}
FUNCTIONS = ("exp", "sqrt", "abs")


def parse(text: str, symbols: Mapping[str, str]) -> ast.expr:
    """Return a formula as an expression in the package's names, with floats for its numbers.

    Raises:
        ValueError: if it is no formula in these symbols; the message says why.

    >>> ast.unparse(parse("ε_next·u^2", {"eps_next": "", "u": ""}))
    'eps_next * u ** 2.0'
    """
    for sign, name in WRITTEN.items():
        text = text.replace(sign, name)
    if len(text) > LONGEST:
        raise ValueError(
            f"It is {len(text)} characters long, and {LONGEST} are enough."
        )
    text = re.sub(r"\w+", lambda word: ALIASES.get(word[0], word[0]), text)
    try:
        formula = _arithmetic(lines.parse(text.strip()), symbols)
        compile(ast.unparse(formula), "<formula>", "eval")
    except SyntaxError as error:
        message = f"It cannot be read as a formula: {error.msg}. A product needs its *."
        raise ValueError(message) from None
    except (RecursionError, MemoryError, OverflowError):
        message = "It has too many brackets or digits: write it shorter."
        raise ValueError(message) from None
    return formula


def _arithmetic(node: ast.expr, symbols: Mapping[str, str]) -> ast.expr:
    """Return an expression in the symbols; refuse what is not plain arithmetic in them."""
    match node:
        case ast.Name(id=name):
            if name not in symbols:
                text = f"`{name}` is not one of the symbols here: {listed(symbols)}."
                raise ValueError(f"{text} A product needs its *.")
        case ast.Constant(value=int() | float() as number):
            # A power of integers could take for ever.
            return ast.Constant(float(number))
        case ast.UnaryOp(op=ast.UAdd(), operand=part):
            return _arithmetic(part, symbols)
        case ast.BinOp(op=op) | ast.UnaryOp(op=op) if type(op) in SIGNS:
            pass
        case ast.Call(func=ast.Name(id=name), args=[_], keywords=[]) if (
            name in FUNCTIONS
        ):
            pass
        case _:
            raise ValueError(
                f"`{ast.unparse(node)}` is not plain arithmetic: use + - * / ** and exp, sqrt, "
                f"abs of the symbols {', '.join(symbols)}."
            )
    return with_args(node, [_arithmetic(part, symbols) for part in args_of(node)])


def listed(symbols: Mapping[str, str]) -> str:
    """Return every symbol with its meaning, as text."""
    return ", ".join(f"`{symbol}` ({meaning})" for symbol, meaning in symbols.items())


@cache
def situations(blank: FormulaBlank) -> list[Inputs]:
    """Return seeded values of the symbols, with the right ones of the formula."""
    source = blank.source()
    used = {getattr(node, "id", "") for node in ast.walk(ast.parse(source))}
    every = []
    for k in range(POINTS):
        rng = np.random.default_rng([31, k])
        sizes = rng.uniform(0.3, 1.9, len(blank.symbols)).round(3)
        signs = rng.choice([1, -1], len(blank.symbols))
        numbers = {
            name: size if name in NOT_NEGATIVE else size * sign
            for name, size, sign in zip(blank.symbols, sizes, signs, strict=True)
            if name in blank.arguments
        }
        shown = [f"{name} = {x:g}" for name, x in numbers.items() if name in used]
        right = define(source)(*numbers.values())
        every.append(Inputs(tuple(numbers.values()), ", ".join(shown), right=right))
    return every
