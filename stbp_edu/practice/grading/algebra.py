"""Read a formula safely, and decide whether two formulas are equal.

Text is parsed into a syntax tree of which only arithmetic is let through; nothing else is ever run.
Equality is tried at seeded points with 300 digits, so no small term hides behind rounding,
near 0 and far from it. A symbol takes both signs unless what it stands for cannot be negative.
"""

import ast
import decimal
import operator
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import cache, lru_cache
from typing import Any

import numpy as np

from stbp_edu.practice.tasks import FormulaBlank

LONGEST = 400  # characters
DEEPEST = 60  # brackets in brackets
LARGEST_POWER = 9  # powers of powers multiplied
SMALLEST = 1e-3  # of the numbers in a formula, 0 apart
LARGEST = 1e3
POINTS = 8
FAR = (5, 30, 200, 3e3, 1e5, 1e7)
"""Sizes of symbols far from 0, where a formula in abs() and a constant turns."""
BOUNDS = decimal.Overflow, decimal.Underflow  # what has no value is infinite or NaN
EXACT = decimal.Context(
    300, Emin=decimal.MIN_EMIN, Emax=decimal.MAX_EMAX, traps=[*BOUNDS]
)
LIMIT = Decimal("1e-250")
NOT_NEGATIVE = {
    "a",
    "tau",
    "T",
    "S",
    "dt",
    "pi",
    "h",
    "h_next",
    "f",
    "f_next",
    "rate",
    "sum_o",
    "o",
    "o_1",
    "o_2",
    "o_3",
}
SIGNS = {
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
OPERATORS: dict[type[ast.AST] | str, Callable[..., Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Pow: operator.pow,
    ast.Div: operator.truediv,
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
    "exp": Decimal.exp,
    "sqrt": Decimal.sqrt,
    "abs": abs,
}
Tree = ast.expr
Point = Mapping[str, Decimal]


def parse(text: str, symbols: Mapping[str, str]) -> Tree:
    """Return the formula as a checked syntax tree.

    Raises:
        ValueError: if it is no formula in these symbols; the message says why.

    >>> ast.unparse(parse("ε_next·u^2", {"eps_next": "", "u": ""}))
    'eps_next * u ** 2'
    """
    for sign, name in SIGNS.items():
        text = text.replace(sign, name)
    if len(text) > LONGEST:
        raise ValueError(
            f"It is {len(text)} characters long, and {LONGEST} are enough."
        )
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except SyntaxError as error:
        message = f"It cannot be read as a formula: {error.msg}. A product needs its *."
        raise ValueError(message) from None
    except (RecursionError, MemoryError, ValueError):
        raise ValueError("It cannot be read as a formula.") from None
    return _checked(tree, symbols)


def _checked(
    node: Tree, symbols: Mapping[str, str], depth: int = 0, power: int = 1
) -> Tree:
    """Return plain arithmetic with its aliases translated; refuse everything else."""
    if depth > DEEPEST:
        raise ValueError(
            f"It has more than {DEEPEST} brackets in brackets: write it flatter."
        )

    def below(part: Tree, times: int = 1, deeper: int = 1) -> Tree:
        """Return a part of the formula, checked, of which a power may be taken."""
        return _checked(part, symbols, depth + deeper, power * times)

    match node:
        case ast.Name(id=name):
            name = ALIASES.get(name, name)
            if name in symbols:
                return ast.Name(name, ast.Load())
            text = f"`{name}` is not one of the symbols here: {listed(symbols)}."
            raise ValueError(f"{text} A product needs its *.")
        case ast.Constant(value=int() | float() as value) if not isinstance(
            value, bool
        ):
            if value and not SMALLEST <= value <= LARGEST:
                raise ValueError(
                    "Numbers must be between 0.001 and 1000 here, such as 2 or 0.5."
                )
            return node
        case ast.BinOp(left=left, op=ast.Pow(), right=right):
            number = getattr(right, "operand", right)  # or its negative
            exponent = getattr(number, "value", None)
            if type(exponent) is not int or abs(power * exponent) > LARGEST_POWER:
                raise ValueError("Powers are small whole numbers here, such as u**2.")
            times = max(1, abs(exponent))
            return ast.BinOp(below(left, times), ast.Pow(), below(right))
        case ast.BinOp(left=left, op=op, right=right) if type(op) in OPERATORS:
            # a + b + c has no brackets.
            return ast.BinOp(below(left, deeper=0), op, below(right))
        case ast.UnaryOp(op=sign, operand=operand) if type(sign) in OPERATORS:
            return ast.UnaryOp(sign, below(operand))
        case ast.Call(func=ast.Name(id=name), args=[argument], keywords=[]) if (
            name in OPERATORS
        ):
            return ast.Call(node.func, [below(argument)], [])
    raise ValueError(
        f"`{ast.unparse(node)}` is not plain arithmetic: use + - * / ** and exp, sqrt, abs "
        f"of the symbols {', '.join(symbols)}."
    )


def listed(symbols: Mapping[str, str]) -> str:
    """Return every symbol with its meaning, as text."""
    lines = [f"`{symbol}` ({meaning})" for symbol, meaning in symbols.items()]
    return ", ".join(lines)


def value(node: Tree, point: Point) -> Decimal:
    """Return a value at a point, as the decimal context computes it; NaN where a part has none."""
    match node:
        case ast.Name(id=name):
            return point[name]
        case ast.Constant():
            return Decimal(ast.unparse(node))
        case ast.UnaryOp(op=sign, operand=operand):
            found = OPERATORS[type(sign)](value(operand, point))
        case ast.BinOp(left=left, op=op, right=right):
            found = OPERATORS[type(op)](value(left, point), value(right, point))
        case ast.Call(func=ast.Name(id=name), args=[argument]):
            found = OPERATORS[name](value(argument, point))
    return found if found.is_finite() else Decimal("nan")


def equal(a: Tree, b: Tree, blank: FormulaBlank) -> bool:
    """Return whether two formulas are equal for all values of the blank's symbols.

    Where one of them passes all bounds of the numbers, such as exp(u**9) far from 0, the point
    tells nothing.
    """
    compared = 0
    with decimal.localcontext(EXACT):
        for k, point in enumerate(points(blank)):
            x = _value_at(a, blank, k)
            if x is None:
                continue
            try:
                y = value(b, point)
            except BOUNDS:
                continue
            if x.is_finite() != y.is_finite():
                return False
            if x.is_finite():
                if not abs(x - y) <= LIMIT * abs(y):
                    return False
                compared += 1
    return compared > 0


@lru_cache(maxsize=256)  # an answer is compared with every mistake, and every two
def _value_at(node: Tree, blank: FormulaBlank, k: int) -> Decimal | None:
    """Return a formula's value at a point, in ``EXACT``; None where it passes bounds."""
    try:
        return value(node, points(blank)[k])
    except BOUNDS:
        return None


@cache
def points(blank: FormulaBlank) -> list[Point]:
    """Return the seeded points at which formulas are compared: the value of each symbol.

    The first ``POINTS`` lie near 0; then come the sizes of ``FAR``, each with every sign as well.
    """
    drawn: list[tuple[int, int, float]] = [(31, k, 1) for k in range(POINTS)]
    for k, size in enumerate(FAR):
        drawn += [(32, k, size), (32, k, -size)]
    found: list[Point] = []
    for stream, k, scale in drawn:
        rng = np.random.default_rng([stream, k])
        sizes = rng.uniform(0.3, 1.9, len(blank.symbols)).round(3).tolist()
        signs = rng.choice([1, -1], len(blank.symbols)).tolist()
        point = {}
        for symbol, size, sign in zip(blank.symbols, sizes, signs, strict=True):
            factor = sign * scale
            if symbol in NOT_NEGATIVE:
                factor = abs(scale)
            point[symbol] = Decimal(str(size * factor))
        for symbol, formula in blank.relations.items():
            tree = parse(formula, blank.symbols)
            with decimal.localcontext(EXACT):
                point[symbol] = value(tree, point)
        found.append(point)
    return found
