"""Read a formula safely, and decide whether two formulas are equal.

Text is parsed into a syntax tree of which only arithmetic is let through; nothing is executed.
Equality is tried at seeded points first. Where SymPy is installed, it has to confirm it.
"""

import ast
import math
import operator
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from stbp_edu.practice.tasks import FormulaBlank

LONGEST = 400  # characters
POINTS = 8
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
FUNCTIONS = ("exp", "sqrt", "abs")
Tree = ast.expr


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


def _checked(node: Tree, symbols: Mapping[str, str]) -> Tree:
    """Return plain arithmetic with its aliases translated; refuse everything else."""
    match node:
        case ast.Name(id=name):
            name = ALIASES.get(name, name)
            if name in symbols:
                return ast.Name(name, ast.Load())
            raise ValueError(
                f"`{name}` is none of the symbols here: {listed(symbols)}. A product needs its *."
            )
        case ast.Constant(value=int() | float()) if not isinstance(node.value, bool):
            return node
        case ast.BinOp(left=left, op=op, right=right) if type(op) in OPERATORS:
            if isinstance(op, ast.Pow) and not _small(right):
                raise ValueError("Powers are small whole numbers here, such as u**2.")
            return ast.BinOp(_checked(left, symbols), op, _checked(right, symbols))
        case ast.UnaryOp(op=sign, operand=operand) if type(sign) in OPERATORS:
            return ast.UnaryOp(sign, _checked(operand, symbols))
        case ast.Call(func=ast.Name(id=name), args=[argument], keywords=[]) if name in FUNCTIONS:
            return ast.Call(ast.Name(name, ast.Load()), [_checked(argument, symbols)], [])
    raise ValueError(
        f"`{ast.unparse(node)}` is not plain arithmetic: use + - * / ** and "
        f"{', '.join(FUNCTIONS)} of the symbols {', '.join(symbols)}."
    )


def listed(symbols: Mapping[str, str]) -> str:
    """Return every symbol with its meaning, as text."""
    return ", ".join(f"`{s}` ({meaning})" for s, meaning in symbols.items())


def _small(node: ast.AST) -> bool:
    """Return whether a power is a whole number from -9 to 9."""
    if isinstance(node, ast.UnaryOp):
        node = node.operand
    return isinstance(node, ast.Constant) and isinstance(node.value, int) and abs(node.value) < 10


def evaluate(tree: ast.AST, values: Mapping[str, Any], functions: Mapping[str, Any]) -> Any:
    """Return the formula's value for these values: floats, or SymPy's symbols."""
    match tree:
        case ast.Name(id=name):
            return values[name]
        case ast.Constant(value=value):
            return value
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
    try:
        import sympy
    except ImportError:
        return True
    functions = {"exp": sympy.exp, "sqrt": sympy.sqrt, "abs": sympy.Abs}
    values = {s: sympy.pi if s == "pi" else sympy.Symbol(s, positive=True) for s in blank.symbols}
    values |= {name: evaluate(r, values, functions) for name, r in _relations(blank).items()}
    rest = sympy.nsimplify(evaluate(a, values, functions) - evaluate(b, values, functions))
    return bool(sympy.simplify(rest) == 0)


def ratio(a: Tree, b: Tree, blank: FormulaBlank) -> float:
    """Return a / b where it is the same constant everywhere, else NaN."""
    pairs = zip(_values(a, blank), _values(b, blank), strict=True)
    ratios = [x / y if y else math.nan for x, y in pairs]
    return ratios[0] if np.allclose(ratios, ratios[0], rtol=1e-9) else math.nan


def _relations(blank: FormulaBlank) -> dict[str, Tree]:
    """Return the formulas of the symbols that are made of others."""
    return {symbol: parse(formula, blank.symbols) for symbol, formula in blank.relations.items()}


def _values(tree: Tree, blank: FormulaBlank) -> Iterator[float]:
    """Yield the formula's values at the seeded points; NaN where it is not defined."""
    functions = {"exp": math.exp, "sqrt": math.sqrt, "abs": abs}
    relations = _relations(blank)
    for k in range(POINTS):
        rng = np.random.default_rng([31, k])
        points = rng.uniform(0.3, 1.9, len(blank.symbols)).tolist()
        values = dict(zip(blank.symbols, points, strict=True))
        if "pi" in values:
            values["pi"] = math.pi
        try:
            values |= {name: evaluate(r, values, functions) for name, r in relations.items()}
            yield float(evaluate(tree, values, functions))
        except (ArithmeticError, ValueError, TypeError):
            yield math.nan
