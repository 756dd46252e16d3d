"""Read a formula safely, and decide whether two formulas are equal.

Text is parsed into a syntax tree of which only arithmetic is let through; nothing is executed.
Equality is tried at seeded points, in floats and then with 300 digits, so that no small term
hides behind rounding. A symbol takes both signs unless what it stands for cannot be negative.
"""

import ast
import math
import operator
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal, localcontext
from typing import Any

import numpy as np

from stbp_edu.practice.tasks import FormulaBlank

LONGEST = 400  # characters
LARGEST_POWER = 9  # powers of powers multiplied
DEEPEST = 60  # brackets in brackets
NUMBERS = (1e-3, 1e3)  # the smallest and the largest number in a formula, 0 apart
POINTS = 8
DIGITS = 300
NOT_NEGATIVE = {"a", "tau", "T", "S", "dt", "pi", "h", "h_next", "f", "f_next", "rate", "sum_o"}
NOT_NEGATIVE |= {"o", "o_1", "o_2", "o_3"}
SIGNS = {"δ": "delta", "ε": "eps", "τ": "tau", "π": "pi", "·": "*", "^": "**", "−": "-"}
SIGNS |= {"f'": "df", "f′": "df"}  # as the page writes it
ALIASES = {"epsilon": "eps", "delta_last": "delta_T", "epsilon_next": "eps_next"}
OPERATORS: dict[type[ast.AST], Callable[..., Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
}
FUNCTIONS: dict[str, Callable[[Any], Any]] = {"exp": math.exp, "sqrt": math.sqrt, "abs": abs}
LONG_FUNCTIONS = {"exp": Decimal.exp, "sqrt": Decimal.sqrt, "abs": abs}
Tree = ast.expr
Number = Any  # a float or a Decimal


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
            return ast.BinOp(below(left, max(1, abs(exponent))), ast.Pow(), below(right))
        case ast.BinOp(left=left, op=op, right=right) if type(op) in OPERATORS:
            return ast.BinOp(below(left, deeper=0), op, below(right))  # a + b + c has no brackets
        case ast.UnaryOp(op=sign, operand=operand) if type(sign) in OPERATORS:
            return ast.UnaryOp(sign, below(operand))
        case ast.Call(func=ast.Name(id=name), args=[argument], keywords=[]) if name in FUNCTIONS:
            return ast.Call(ast.Name(name, ast.Load()), [below(argument)], [])
    raise ValueError(
        f"`{ast.unparse(node)}` is not plain arithmetic: use + - * / ** and "
        f"{', '.join(FUNCTIONS)} of the symbols {', '.join(symbols)}."
    )


def listed(symbols: Mapping[str, str]) -> str:
    """Return every symbol with its meaning, as text."""
    return ", ".join(f"`{s}` ({meaning})" for s, meaning in symbols.items())


def _whole(node: ast.AST) -> int | None:
    """Return an exponent if it is a whole number, else None."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        exponent = _whole(node.operand)
        return None if exponent is None else -exponent
    if isinstance(node, ast.Constant) and type(node.value) is int:
        return node.value
    return None


def evaluate(tree: ast.AST, values: Mapping[str, Number], functions: Mapping[str, Any]) -> Number:
    """Return the formula's value for these values, all of one kind: floats or decimals."""
    match tree:
        case ast.Name(id=name):
            return values[name]
        case ast.Constant(value=value):
            return type(next(iter(values.values())))(str(value))
        case ast.BinOp(left=left, op=ast.Pow(), right=right):
            exponent = _whole(right)
            assert exponent is not None  # the formula was checked
            return evaluate(left, values, functions) ** exponent
        case ast.BinOp():
            left = evaluate(tree.left, values, functions)
            return OPERATORS[type(tree.op)](left, evaluate(tree.right, values, functions))
        case ast.UnaryOp():
            return OPERATORS[type(tree.op)](evaluate(tree.operand, values, functions))
        case ast.Call(func=ast.Name(id=name), args=[argument]):
            return functions[name](evaluate(argument, values, functions))
    raise TypeError(f"tree must be a checked formula, got {type(tree).__name__}; use parse")


def equal(a: Tree, b: Tree, blank: FormulaBlank) -> bool:
    """Return whether two formulas are equal for all values of the blank's symbols."""
    pairs = zip(_values(a, blank), _values(b, blank), strict=True)
    if not all(math.isclose(x, y, rel_tol=1e-9, abs_tol=1e-12) for x, y in pairs):
        return False
    with localcontext(prec=DIGITS):
        limit = Decimal(10) ** (50 - DIGITS)
        pairs = zip(_values(a, blank, Decimal), _values(b, blank, Decimal), strict=True)
        return all(abs(x - y) <= limit for x, y in pairs)


def has_a_value(tree: Tree, blank: FormulaBlank) -> bool:
    """Return whether a formula is a real number at any of the points."""
    return not all(map(math.isnan, _values(tree, blank)))


def completed(values: dict[str, Number], blank: FormulaBlank, kind: type[Number] = float) -> Any:
    """Return the values with those of the symbols that are made of others."""
    functions = FUNCTIONS if kind is float else LONG_FUNCTIONS
    made = {s: evaluate(parse(f, blank.symbols), values, functions)
            for s, f in blank.relations.items() if s in values}  # fmt: skip
    return {**values, **made}


def _values(tree: Tree, blank: FormulaBlank, kind: type[Number] = float) -> Iterator[Number]:
    """Yield the formula's values at the seeded points; NaN where it is not defined."""
    functions = FUNCTIONS if kind is float else LONG_FUNCTIONS
    for values in points(blank, kind):
        try:
            yield kind(evaluate(tree, completed(values, blank, kind), functions))
        except (ArithmeticError, ValueError, TypeError):
            yield kind("nan")


def points(blank: FormulaBlank, kind: type[Number] = float) -> Iterator[dict[str, Number]]:
    """Yield the seeded points at which formulas are compared."""
    for k in range(POINTS):
        rng = np.random.default_rng([31, k])
        sizes = rng.uniform(0.3, 1.9, len(blank.symbols)).round(3).tolist()
        signs = rng.choice([1, -1], len(blank.symbols)).tolist()
        yield {
            symbol: kind(str(size if symbol in NOT_NEGATIVE else sign * size))
            for symbol, size, sign in zip(blank.symbols, sizes, signs, strict=True)
        }
