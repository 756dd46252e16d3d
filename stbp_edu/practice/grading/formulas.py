"""Read a formula, and decide whether two formulas are equal.

Of a text only arithmetic is let through. Equality is tried at seeded points with 300 digits, so no
small term hides behind rounding, near 0 and far from it. A symbol takes both signs unless what it
stands for cannot be negative.
"""

import ast
import decimal
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import cache
from typing import Any

import numpy as np

from stbp_edu import lines
from stbp_edu.lines.expressions import SIGNS, args_of, with_args
from stbp_edu.practice.tasks import FormulaBlank, Inputs
from stbp_edu.practice.tasks.programs import define

LONGEST = 400  # characters
NEAR = 8
"""Points near 0."""
FAR = (5, 30, 200, 3e3, 1e5, 1e7)
"""Sizes of symbols far from 0, where a formula in abs() and a constant turns."""
NO_VALUE = decimal.DivisionByZero, decimal.InvalidOperation
BEYOND = decimal.Overflow, decimal.Underflow
EXACT = decimal.Context(
    300, Emin=decimal.MIN_EMIN, Emax=decimal.MAX_EMAX, traps=[*NO_VALUE, *BEYOND]
)
LIMIT = Decimal("1e-250")
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
FUNCTIONS: dict[str, Callable[..., Any]] = {
    "exp": Decimal.exp,
    "sqrt": Decimal.sqrt,
    "abs": abs,
}
Point = Mapping[str, Decimal]


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


def value(formula: ast.expr, point: Point) -> Decimal | None:
    """Return a value at a point to 300 digits: NaN where a part has none, None beyond all bounds.

    A number is the decimal that was typed.
    """
    with decimal.localcontext(EXACT):
        try:
            found: Decimal | None = lines.evaluate(
                formula, point, FUNCTIONS, number=lambda typed: Decimal(str(typed))
            )
        except NO_VALUE:
            found = Decimal("nan")
        except BEYOND:
            found = None
    return found


def equal(a: ast.expr, b: ast.expr, blank: FormulaBlank) -> bool:
    """Return whether two formulas are equal for all values of the blank's symbols.

    Where one of them passes all bounds of the numbers, such as exp(u**9) far from 0, the point
    tells nothing.
    """
    compared = 0
    for point in points(blank):
        x, y = value(a, point), value(b, point)
        if x is None or y is None:
            continue
        if x.is_finite() != y.is_finite():
            return False
        if x.is_finite():
            with decimal.localcontext(EXACT):
                if not abs(x - y) <= LIMIT * abs(y):
                    return False
            compared += 1
    return compared > 0


@cache
def points(blank: FormulaBlank) -> list[Point]:
    """Return the seeded points at which formulas are compared: the value of each symbol.

    The first ``NEAR`` lie near 0; then come the sizes of ``FAR``, each with every sign as well.
    """
    drawn: list[tuple[int, int, float]] = [(31, k, 1) for k in range(NEAR)]
    for k, size in enumerate(FAR):
        drawn += [(32, k, size), (32, k, -size)]
    found: list[Point] = []
    for stream, k, scale in drawn:
        rng = np.random.default_rng([stream, k])
        sizes = rng.uniform(0.3, 1.9, len(blank.symbols)).round(3) * abs(scale)
        signs = rng.choice([1, -1], len(blank.symbols)) * np.sign(scale)
        point = {}
        for symbol, size, sign in zip(blank.symbols, sizes, signs, strict=True):
            kept = abs(sign) if symbol in NOT_NEGATIVE else sign
            point[symbol] = Decimal(str(size * kept))
        for symbol, made in blank.relations.items():
            point[symbol] = value(parse(made, blank.symbols), point) or Decimal(0)
        found.append(point)
    return found


@cache
def situations(blank: FormulaBlank) -> list[Inputs]:
    """Return the symbols' values near 0, with the right ones of the formula."""
    source = blank.source()
    used = {getattr(node, "id", "") for node in ast.walk(ast.parse(source))}
    every = []
    for point in points(blank)[:NEAR]:
        numbers = {name: float(point[name]) for name in blank.arguments}
        shown = [f"{name} = {x:g}" for name, x in numbers.items() if name in used]
        right = define(source)(*numbers.values())
        every.append(Inputs(tuple(numbers.values()), ", ".join(shown), right=right))
    return every
