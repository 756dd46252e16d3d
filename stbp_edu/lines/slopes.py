"""Derivatives of expressions: a sum with one term for each argument that has the name in it.

A change of a name reaches an operation through its arguments. So the derivative of ``op(a, b)`` is
that of the operation by a, times that of a, plus the same of b: one term for each arrow.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from functools import reduce
from operator import add, mul

from stbp_edu.lines import expressions as ex
from stbp_edu.lines.latex_names import symbol

A = ex.Name("a")
B = ex.Name("b")
BY_ARGUMENT: dict[str, tuple[ex.Expression, ...]] = {
    "+": (ex.ONE, ex.ONE),
    "-": (ex.ONE, -ex.ONE),
    "neg": (-ex.ONE,),
    "*": (B, A),
    "/": (1 / B, -A / B**2),
    "**": (B * A ** (B - 1), A**B * ex.call("log", A)),
    "exp": (ex.call("exp", A),),
    "log": (1 / A,),
    "tanh": (1 - ex.call("tanh", A) ** 2,),
    "sqrt": (1 / (2 * ex.call("sqrt", A)),),
    "abs": (2 * (A >= 0) - 1,),
    "min": (B >= A, 1 - (B >= A)),
    "max": (A >= B, 1 - (A >= B)),
    "at_least": (ex.ZERO, ex.ZERO),
    "spike": (ex.call("h", A),),
}
"""The derivative of each operation by its arguments a and b.

Where both arguments of min or max are equal, the slope is that of the first one; that of abs at 0
is 1. For the spike, h is used.
"""


def derivative(tree: ex.Expression, by: ex.Name) -> ex.Expression:
    """Return the derivative of an expression by a name, tidied."""
    return tidy(_slope(tree, by))


def _slope(tree: ex.Expression, by: ex.Name) -> ex.Expression:
    """Return the derivative of an expression by a name, as the sum over its arguments."""
    if tree == by:
        return ex.ONE
    if not isinstance(tree, ex.Call):
        return ex.ZERO
    terms: list[ex.Expression] = []
    for k, arg in enumerate(tree.args):
        if by in ex.names_in(arg):
            terms.append(_by_argument(tree, k) * _slope(arg, by))
    f = tree.op
    if isinstance(f, ex.Function):
        in_body = by in ex.names_in(ex.Call(f, ()))  # a constant
        if in_body:
            label = rf"\partial_{{{symbol(by.name)}}}{f.label}"
            terms.append(_derived(f, label, by, tree.args))
    return reduce(add, terms) if terms else ex.ZERO


def _by_argument(call: ex.Call, k: int) -> ex.Expression:
    """Return the derivative of an operation, or of a function of the reader's, by argument k."""
    f = call.op
    args = call.args
    if isinstance(f, str):
        given = dict(zip((A, B), args, strict=False))
        return ex.replaced(BY_ARGUMENT[f][k], given)
    label = f"{f.label}'"
    if len(args) > 1:
        label = rf"\partial_{k + 1}{f.label}"
    return _derived(f, label, f.parameters[k], args)


def _derived(
    f: ex.Function, label: str, by: ex.Name, args: tuple[ex.Expression, ...]
) -> ex.Expression:
    """Return the derivative of a function of the reader's by a name in its body."""
    body = derivative(f.body, by)
    return ex.Call(ex.Function(label, f.parameters, body), args)


Product = tuple[Fraction, dict[ex.Expression, int]]
"""A rational number, and the exponent of each factor."""
LARGEST = 2**53  # an integer, of which each smaller one is a float
EXP_0 = ex.call("exp", 0)
ORDER = (ex.Number, ex.Name, ex.Call)


def tidy(tree: ex.Expression) -> ex.Expression:
    """Return an expression with 0, 1 and what cancels taken out; products of sums stay."""
    terms = _sum(tree)
    return _added(terms)


def _added(terms: list[Product]) -> ex.Expression:
    """Return a sum of products as an expression, those with a minus last."""
    positive = [term for term in terms if term[0] > 0]
    negative = [term for term in terms if term[0] < 0]
    result: ex.Expression | None = None
    for number, powers in positive:
        size = _joined(number, powers)
        result = result + size if result else size
    for number, powers in negative:
        size = _joined(-number, powers)
        result = result - size if result else _minus(size)
    return result or ex.ZERO


def _sum(tree: ex.Expression) -> list[Product]:
    """Return a sum as products, alike ones together."""
    sums: dict[frozenset[tuple[ex.Expression, int]], Product] = {}
    for number, powers in _terms(tree, 1):
        key = frozenset(powers.items())
        if key in sums:
            so_far, _ = sums[key]
            number += so_far
        sums[key] = number, powers
    return [(number, powers) for number, powers in sums.values() if number]


def _minus(tree: ex.Expression) -> ex.Expression:
    """Return minus a product, the sign at its number where it has one."""
    match tree:
        case ex.Number(value):
            return ex.Number(-value)
        case ex.Call("*", (ex.Number(value), rest)):
            return -value * rest
    return -tree


def _terms(tree: ex.Expression, sign: int) -> Iterator[Product]:
    """Yield the terms of a sum as products."""
    match tree:
        case ex.Call("neg", (a,)):
            yield from _terms(a, -sign)
        case ex.Call("+", (a, b)):
            yield from _terms(a, sign)
            yield from _terms(b, sign)
        case ex.Call("-", (a, b)):
            yield from _terms(a, sign)
            yield from _terms(b, -sign)
        case _:
            number, powers = _product(tree)
            yield sign * number, powers


def _product(tree: ex.Expression) -> Product:
    """Return an expression as a product."""
    match tree:
        case ex.Number(int() as value):
            return Fraction(value), {}
        case ex.Call("neg", (a,)):
            number, powers = _product(a)
            return -number, powers
        case ex.Call("*", (a, b)):
            return _times(_product(a), _product(b), 1)
        case ex.Call("/", (a, b)):
            return _times(_product(a), _product(b), -1)
        case ex.Call("**", (a, b)):
            power = tidy(b)
            if isinstance(power, ex.Number) and isinstance(power.value, int):
                one: Product = Fraction(1), {}
                return _times(one, _product(a), power.value)
        case ex.Call("+" | "-"):
            terms = _sum(tree)
            if not terms:
                return Fraction(0), {}
            if len(terms) == 1:
                return terms[0]
            return Fraction(1), {_added(terms): 1}
    if isinstance(tree, ex.Call):
        args = [tidy(arg) for arg in tree.args]
        tree = ex.Call(tree.op, tuple(args))
    if tree == EXP_0:
        return Fraction(1), {}
    return Fraction(1), {tree: 1}


def _times(left: Product, right: Product, exponent: int) -> Product:
    """Return left · right^exponent; a number that would grow too large stays a factor."""
    number, powers = left
    base, factors = right
    if base == 0 and exponent > 0:
        return Fraction(0), {}
    bits = max(base.numerator.bit_length(), base.denominator.bit_length())
    if base and abs(exponent) * bits < 53:
        grown = number * base**exponent
        if max(abs(grown.numerator), grown.denominator) < LARGEST:
            number = grown
            base = Fraction(1)
    more = [*factors.items()]
    if base.numerator != 1:
        more.append((ex.Number(base.numerator), 1))
    if base.denominator != 1:
        more.append((ex.Number(base.denominator), -1))
    product = dict(powers)
    for factor, power in more:
        product[factor] = product.get(factor, 0) + power * exponent
    return number, {factor: power for factor, power in product.items() if power}


def _joined(number: Fraction, powers: dict[ex.Expression, int]) -> ex.Expression:
    """Return a product as an expression: number, constants, states, functions, over the rest."""
    above: list[ex.Expression] = []
    below: list[ex.Expression] = []
    for factor, power in sorted(powers.items(), key=_rank):
        size = factor if abs(power) == 1 else factor ** abs(power)
        if power > 0:
            above.append(size)
        else:
            below.append(size)
    if number.numerator != 1 or not above:
        above.insert(0, ex.Number(number.numerator))
    if number.denominator != 1:
        below.insert(0, ex.Number(number.denominator))
    product = reduce(mul, above)
    if not below:
        return product
    return product / reduce(mul, below)


def _rank(pair: tuple[ex.Expression, int]) -> tuple[int, bool]:
    """Return the place of a factor in a product."""
    factor, _ = pair
    is_state = getattr(factor, "when", "") != ""
    return ORDER.index(type(factor)), is_state
