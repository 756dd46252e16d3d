"""Derivatives of expressions: a sum with one term for each argument that has the name in it.

A change of a name reaches an operation through its arguments. So the derivative of ``op(a, b)`` is
that of the operation by a, times that of a, plus the same of b: one term for each arrow.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from functools import reduce
from operator import add, mul

from stbp_edu.arrows.lines import expressions as ex

A, B = ex.Name("a"), ex.Name("b")
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
    f, args = tree.op, tree.args
    terms: list[ex.Expression] = []
    for k, arg in enumerate(args):
        if by in ex.names_in(arg):
            if isinstance(f, str):
                own = ex.replaced(
                    BY_ARGUMENT[f][k], dict(zip((A, B), args, strict=False))
                )
            else:
                label = (
                    rf"\partial_{k + 1}{f.label}" if len(args) > 1 else f"{f.label}'"
                )
                own = _derived(f, label, f.parameters[k], args)
            terms.append(own * _slope(arg, by))
    if isinstance(f, ex.Function) and by in ex.names_in(
        ex.Call(f, ())
    ):  # a constant in its body
        terms.append(
            _derived(f, rf"\partial_{{{ex.symbol(by.name)}}}{f.label}", by, args)
        )
    return reduce(add, terms) if terms else ex.ZERO


def _derived(
    f: ex.Function, label: str, by: ex.Name, args: tuple[ex.Expression, ...]
) -> ex.Expression:
    """Return the derivative of a function of the reader's by a name in its body."""
    return ex.Call(ex.Function(label, f.parameters, derivative(f.body, by)), args)


Product = tuple[Fraction, dict[ex.Expression, int]]
"""A rational number, and the exponent of each factor."""
LARGEST, EXP_0 = 2**53, ex.call("exp", 0)
ORDER = (ex.Number, ex.Name, ex.Call)


def tidy(tree: ex.Expression) -> ex.Expression:
    """Return an expression with 0, 1 and what cancels taken out; products of sums stay."""
    return _added(_sum(tree))


def _added(terms: list[Product]) -> ex.Expression:
    """Return a sum of products as an expression, those with a minus last."""
    result: ex.Expression | None = None
    for number, powers in sorted(terms, key=lambda term: term[0] < 0):
        size = _joined(abs(number), powers)
        if result:
            result = result + size if number > 0 else result - size
        else:
            result = size if number > 0 else _minus(size)
    return result or ex.ZERO


def _sum(tree: ex.Expression) -> list[Product]:
    """Return a sum as products, alike ones together."""
    sums: dict[frozenset[tuple[ex.Expression, int]], Product] = {}
    for number, powers in _terms(tree, 1):
        key = frozenset(powers.items())
        sums[key] = (sums[key][0] + number if key in sums else number), powers
    return [product for product in sums.values() if product[0]]


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
        case ex.Call("+" | "-" as op, (a, b)):
            yield from _terms(a, sign)
            yield from _terms(b, sign if op == "+" else -sign)
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
        case ex.Call("*" | "/" as op, (a, b)):
            return _times(_product(a), _product(b), 1 if op == "*" else -1)
        case ex.Call("**", (a, b)) if isinstance(power := tidy(b), ex.Number):
            if isinstance(power.value, int):
                return _times((Fraction(1), {}), _product(a), power.value)
        case ex.Call("+" | "-"):
            terms = _sum(tree)
            if len(terms) > 1:
                return Fraction(1), {_added(terms): 1}
            return terms[0] if terms else (Fraction(0), {})
    if isinstance(tree, ex.Call):
        tree = ex.Call(tree.op, tuple(map(tidy, tree.args)))
    return Fraction(1), {} if tree == EXP_0 else {tree: 1}


def _times(left: Product, right: Product, exponent: int) -> Product:
    """Return left · right^exponent; a number that would grow too large stays a factor."""
    (number, powers), (base, factors) = left, right
    if base == 0 and exponent > 0:
        return Fraction(0), {}
    small = (
        abs(exponent) * max(base.numerator.bit_length(), base.denominator.bit_length())
        < 53
    )
    if base and small:
        grown = number * base**exponent
        if max(abs(grown.numerator), grown.denominator) < LARGEST:
            number, base = grown, Fraction(1)
    own = (ex.Number(base.numerator), 1), (ex.Number(base.denominator), -1)
    powers = dict(powers)
    for factor, power in (
        *factors.items(),
        *(pair for pair in own if pair[0] != ex.ONE),
    ):
        powers[factor] = powers.get(factor, 0) + power * exponent
    return number, {factor: power for factor, power in powers.items() if power}


def _joined(number: Fraction, powers: dict[ex.Expression, int]) -> ex.Expression:
    """Return a product as an expression: number, constants, states, functions, over the rest."""
    above: list[ex.Expression] = []
    below: list[ex.Expression] = []
    for factor, power in sorted(powers.items(), key=_rank):
        size = factor if abs(power) == 1 else factor ** abs(power)
        (above if power > 0 else below).append(size)
    if number.numerator != 1 or not above:
        above.insert(0, ex.Number(number.numerator))
    if number.denominator != 1:
        below.insert(0, ex.Number(number.denominator))
    product, *over = (reduce(mul, of) for of in (above, below) if of)
    return product / over[0] if over else product


def _rank(pair: tuple[ex.Expression, int]) -> tuple[int, bool]:
    """Return the place of a factor in a product."""
    return ORDER.index(type(pair[0])), getattr(pair[0], "when", "") != ""
