"""Read a formula safely, and decide whether two formulas are equal.

Text is parsed into a syntax tree of which only arithmetic is let through; nothing else is ever run.
Equality is tried at seeded points, in floats and then with 300 digits, so that no small term
hides behind rounding, near 0 and far from it. A symbol takes both signs unless what it stands for
cannot be negative.
"""

import ast
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import MAX_EMAX, MIN_EMIN, Decimal, localcontext
from functools import cache, lru_cache
from typing import Any

import numpy as np

from stbp_edu.practice.tasks import FormulaBlank

LONGEST = 400  # characters
LARGEST_POWER = 9  # powers of powers multiplied
DEEPEST = 60  # brackets in brackets
NUMBERS = (1e-3, 1e3)  # the smallest and the largest number in a formula, 0 apart
POINTS = 8
FAR = (5, 30, 200, 3e3, 1e5, 1e7)
"""Sizes of symbols far from 0, where a formula in abs() and a constant turns."""
DIGITS = 300
NOT_NEGATIVE = {"a", "tau", "T", "S", "dt", "pi", "h", "h_next", "f", "f_next", "rate", "sum_o"}
NOT_NEGATIVE |= {"o", "o_1", "o_2", "o_3"}
SIGNS = {"δ": "delta", "ε": "eps", "τ": "tau", "π": "pi", "·": "*", "^": "**", "−": "-"}
SIGNS |= {"f'": "df", "f′": "df"}  # as the page writes it
ALIASES = {"epsilon": "eps", "delta_last": "delta_T", "epsilon_next": "eps_next"}
OPERATORS = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Pow, ast.USub, ast.UAdd)
FUNCTIONS: dict[type, dict[str, Callable[[Any], Any]]] = {
    float: {"exp": math.exp, "sqrt": math.sqrt, "abs": abs, "_number": float},
    Decimal: {"exp": Decimal.exp, "sqrt": Decimal.sqrt, "abs": abs, "_number": Decimal},
}
"""What a formula may call, for each kind of number, and what makes such a number of text."""
Tree = ast.expr
Number = Any  # a float or a Decimal
Point = dict[str, float]


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
        raise ValueError(f"It is {len(text)} characters long, and {LONGEST} are enough.")
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except SyntaxError as error:
        message = f"It cannot be read as a formula: {error.msg}. A product needs its *."
        raise ValueError(message) from None
    except (RecursionError, MemoryError, ValueError):
        raise ValueError("It cannot be read as a formula.") from None
    return _checked(tree, symbols)


def _checked(node: Tree, symbols: Mapping[str, str], depth: int = 0, power: int = 1) -> Tree:
    """Return plain arithmetic with its aliases translated; refuse everything else."""
    if depth > DEEPEST:
        raise ValueError(f"It has more than {DEEPEST} brackets in brackets: write it flatter.")

    def below(part: Tree, times: int = 1, deeper: int = 1) -> Tree:
        """Return a part of the formula, checked, of which a power may be taken."""
        return _checked(part, symbols, depth + deeper, power * times)

    match node:
        case ast.Name(id=name):
            name = ALIASES.get(name, name)
            if name in symbols:
                return ast.Name(name, ast.Load())
            raise ValueError(
                f"`{name}` is none of the symbols here: {listed(symbols)}. A product needs its *."
            )
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
            if value and not NUMBERS[0] <= value <= NUMBERS[1]:
                raise ValueError("Numbers lie between 0.001 and 1000 here, such as 2 or 0.5.")
            return node
        case ast.BinOp(left=left, op=ast.Pow(), right=right):
            exponent = _whole(right)
            if exponent is None or abs(power * exponent) > LARGEST_POWER:
                raise ValueError("Powers are small whole numbers here, such as u**2.")
            return ast.BinOp(below(left, max(1, abs(exponent))), ast.Pow(), right)
        case ast.BinOp(left=left, op=op, right=right) if isinstance(op, OPERATORS):
            return ast.BinOp(below(left, deeper=0), op, below(right))  # a + b + c has no brackets
        case ast.UnaryOp(op=sign, operand=operand) if isinstance(sign, OPERATORS):
            return ast.UnaryOp(sign, below(operand))
        case ast.Call(func=ast.Name(id="exp" | "sqrt" | "abs"), args=[argument], keywords=[]):
            return ast.Call(node.func, [below(argument)], [])
    raise ValueError(
        f"`{ast.unparse(node)}` is not plain arithmetic: use + - * / ** and exp, sqrt, abs "
        f"of the symbols {', '.join(symbols)}."
    )


def listed(symbols: Mapping[str, str]) -> str:
    """Return every symbol with its meaning, as text."""
    return ", ".join(f"`{s}` ({meaning})" for s, meaning in symbols.items())


def _whole(node: ast.AST) -> int | None:
    """Return an exponent if it is a whole number, else None."""
    sign = -1 if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) else 1
    number = node.operand if isinstance(node, ast.UnaryOp) else node
    value = getattr(number, "value", None)
    return sign * value if type(value) is int else None


class _Numbers(ast.NodeTransformer):
    """Lets every number be of the kind that is computed with; exponents stay whole."""

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        """Return what makes the number of its text."""
        return ast.Call(ast.Name("_number", ast.Load()), [ast.Constant(str(node.value))], [])

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        """Return the operation, its exponent as it is."""
        right = node.right if isinstance(node.op, ast.Pow) else self.visit(node.right)
        return ast.BinOp(self.visit(node.left), node.op, right)


def source(tree: Tree, blank: FormulaBlank, names: Sequence[str]) -> str:
    """Return a formula as the source of a function of these symbols."""
    lines = [f"    {symbol} = {formula}\n" for symbol, formula in blank.relations.items()]
    return f"def formula({', '.join(names)}):\n{''.join(lines)}    return {ast.unparse(tree)}"


def free_symbols(blank: FormulaBlank, *trees: Tree) -> list[str]:
    """Return the symbols that are made of no others; those of some formulas, where given."""
    known = [ast.parse(text) for text in blank.relations.values()]
    used = {n.id for tree in (*trees, *known) for n in ast.walk(tree) if isinstance(n, ast.Name)}
    free = [symbol for symbol in blank.symbols if symbol not in blank.relations]
    return [symbol for symbol in free if symbol in used or not trees]


@lru_cache(4000)
def function(text: str, kind: Any = float) -> Callable[..., Number]:
    """Return a checked formula, given by its source, as a function of numbers of one kind."""
    tree, space = (
        ast.fix_missing_locations(_Numbers().visit(ast.parse(text))),
        dict(FUNCTIONS[kind]),
    )
    exec(compile(tree, "<formula>", "exec"), space)  # plain arithmetic: it was checked
    return space["formula"]


def equal(a: Tree, b: Tree, blank: FormulaBlank) -> bool:
    """Return whether two formulas are equal for all values of the blank's symbols."""
    pairs = zip(_values(a, blank), _values(b, blank), strict=True)
    if not all(math.isclose(x, y, rel_tol=1e-9, abs_tol=1e-12) for x, y in pairs):
        return False
    with localcontext(prec=DIGITS, Emax=MAX_EMAX, Emin=MIN_EMIN):
        limit = Decimal(10) ** (50 - DIGITS)
        every = [*points(blank), *far_points(blank)]
        values = [_values(tree, blank, Decimal, every) for tree in (a, b)]
        pairs = zip(*values, strict=True)
        return all(
            x.is_nan() and y.is_nan() if (x + y).is_nan() else abs(x - y) <= limit * abs(y)
            for x, y in pairs
        )


def has_a_value(tree: Tree, blank: FormulaBlank) -> bool:
    """Return whether a formula is a real number at any of the points."""
    return not all(map(math.isnan, _values(tree, blank)))


def _values(
    tree: Tree, blank: FormulaBlank, kind: Any = float, at: Sequence[Point] | None = None
) -> Iterator[Number]:
    """Yield the formula's values at the seeded points; NaN where it is not defined."""
    formula = function(source(tree, blank, free_symbols(blank)), kind)
    for point in points(blank) if at is None else at:
        try:
            yield kind(formula(*(kind(str(value)) for value in point.values())))
        except (ArithmeticError, ValueError, TypeError):
            yield kind("nan")


@cache
def points(blank: FormulaBlank) -> list[Point]:
    """Return the seeded points at which formulas are compared: the value of each free symbol."""
    return [_point(blank, np.random.default_rng([31, k])) for k in range(POINTS)]


@cache
def far_points(blank: FormulaBlank) -> list[Point]:
    """Return points of many sizes, each also with every sign turned round."""
    return [
        _point(blank, np.random.default_rng([32, k]), scale)
        for k, size in enumerate(FAR)
        for scale in (size, -size)
    ]


def _point(blank: FormulaBlank, rng: np.random.Generator, scale: float = 1.0) -> Point:
    """Return a value of each free symbol, in proportion to a scale."""
    sizes = rng.uniform(0.3, 1.9, len(blank.symbols)).round(3).tolist()
    signs = rng.choice([1, -1], len(blank.symbols)).tolist()
    return {
        symbol: size * (abs(scale) if symbol in NOT_NEGATIVE else sign * scale)
        for symbol, size, sign in zip(blank.symbols, sizes, signs, strict=True)
        if symbol not in blank.relations
    }
