"""Derivatives of expressions: a sum with one term for each argument that a name stands in.

A change of a name reaches an operation through its arguments. So the derivative of ``op(a, b)`` is
that of the operation by a, times that of a, plus the same of b: one term for each arrow.
"""

from __future__ import annotations

from fractions import Fraction
from functools import reduce

from stbp_edu.arrows.lines.expressions import (
    ONE,
    ZERO,
    Call,
    Expression,
    Function,
    Name,
    Number,
    names_in,
    replaced,
    symbol,
)
from stbp_edu.arrows.lines.reading import expression

BY_ARGUMENT = {
    "+": ("1", "1"),
    "-": ("1", "-1"),
    "neg": ("-1",),
    "*": ("b", "a"),
    "/": ("1 / b", "-a / b**2"),
    "**": ("b * a**(b - 1)", "a**b * log(a)"),
    "exp": ("exp(a)",),
    "log": ("1 / a",),
    "tanh": ("1 - tanh(a)**2",),
    "sqrt": ("1 / (2 * sqrt(a))",),
    "abs": ("2 * at_least(a, 0) - 1",),
    "min": ("at_least(b, a)", "1 - at_least(b, a)"),
    "max": ("at_least(a, b)", "1 - at_least(a, b)"),
    "at_least": ("0", "0"),
    "spike": ("h(a)",),
}
"""The derivative of each operation by its arguments a and b.

Where both arguments of min or max are equal, the slope is that of the first one; that of abs at 0
is 1. For the spike, h stands in.
"""
TABLE = {op: tuple(map(expression, texts)) for op, texts in BY_ARGUMENT.items()}
A, B = Name("a"), Name("b")


def derivative(tree: Expression, by: Name) -> Expression:
    """Return the derivative of an expression by a name, tidied.

    >>> from stbp_edu.arrows.lines.expressions import python
    >>> decay = expression("tau * exp(-o / tau) * u + x")
    >>> python(derivative(decay, Name("o")), lambda name: name.name)
    '-u * exp(-o / tau)'
    """
    return tidy(slope(tree, by))


def slope(tree: Expression, by: Name) -> Expression:
    """Return the derivative of an expression by a name, as the sum over its arguments."""
    if tree == by:
        return ONE
    if not isinstance(tree, Call):
        return ZERO
    terms = [
        Call("*", (partial, slope(arg, by)))
        for partial, arg in zip(_by_arguments(tree.op, tree.args), tree.args, strict=True)
        if by in names_in(arg)
    ]
    f = tree.op
    if isinstance(f, Function) and by in names_in(Call(f, ())):  # a constant in its body
        label = rf"\partial_{{{symbol(by.name)}}}{f.label}"
        terms.append(Call(Function(label, f.parameters, derivative(f.body, by)), tree.args))
    return reduce(lambda a, b: Call("+", (a, b)), terms) if terms else ZERO


def _by_arguments(op: str | Function, args: tuple[Expression, ...]) -> list[Expression]:
    """Return the derivative of an operation by each of its arguments."""
    if isinstance(op, str):
        return [replaced(partial, dict(zip((A, B), args, strict=False))) for partial in TABLE[op]]
    labels = [rf"\partial_{k}{op.label}" for k in range(1, len(args) + 1)]
    return [
        Call(Function(label, op.parameters, derivative(op.body, parameter)), args)
        for label, parameter in zip(
            labels if len(args) > 1 else [f"{op.label}'"], op.parameters, strict=True
        )
    ]


Product = tuple[Fraction, dict[Expression, int]]
"""A rational number, and the exponent of each factor."""
LARGEST = 2**53


def tidy(tree: Expression) -> Expression:
    """Return an expression with 0, 1 and what cancels taken out; products of sums stay.

    >>> from stbp_edu.arrows.lines.expressions import python
    >>> python(tidy(expression("tau * (1 / tau) * u + 0 * x - 3 * u")), lambda n: n.name)
    '-2 * u'
    """
    return _added(_sum(tree))


def _added(terms: list[Product]) -> Expression:
    """Return a sum of products as an expression."""
    result: Expression | None = None
    for number, powers in sorted(terms, key=lambda term: term[0] < 0):  # those with a minus last
        size = _joined(abs(number), powers)
        if result is None:
            result = size if number > 0 else _minus(size)
        else:
            result = Call("+" if number > 0 else "-", (result, size))
    return result or ZERO


def _sum(tree: Expression) -> list[Product]:
    """Return a sum as products, alike ones together."""
    sums: dict[frozenset[tuple[Expression, int]], Product] = {}
    for number, powers in _terms(tree, 1):
        key = frozenset(powers.items())
        sums[key] = (sums[key][0] + number if key in sums else number), powers
    return [product for product in sums.values() if product[0]]


def _minus(tree: Expression) -> Expression:
    """Return minus a product, the sign at its number where it has one."""
    match tree:
        case Number(value):
            return Number(-value)
        case Call("*", (Number(value), rest)):
            return Call("*", (Number(-value), rest))
    return Call("neg", (tree,))


def _terms(tree: Expression, sign: int) -> list[Product]:
    """Return the terms of a sum as products."""
    match tree:
        case Call("neg", (a,)):
            return _terms(a, -sign)
        case Call("+" | "-" as op, (a, b)):
            return _terms(a, sign) + _terms(b, sign if op == "+" else -sign)
    number, powers = _product(tree)
    return [(sign * number, powers)]


def _product(tree: Expression) -> Product:
    """Return an expression as a product."""
    match tree:
        case Number(int() as value):
            return Fraction(value), {}
        case Call("neg", (a,)):
            number, powers = _product(a)
            return -number, powers
        case Call("*" | "/" as op, (a, b)):
            return _times(_product(a), _product(b), 1 if op == "*" else -1)
        case Call("**", (a, b)):
            b = tidy(b)
            if isinstance(b, Number) and isinstance(b.value, int):
                return _times((Fraction(1), {}), _product(a), b.value)
            return Fraction(1), {Call("**", (tidy(a), b)): 1}
        case Call("+" | "-"):
            terms = _sum(tree)
            if len(terms) > 1:
                return Fraction(1), {_added(terms): 1}
            return terms[0] if terms else (Fraction(0), {})
        case Call(op, args):
            inside = tuple(map(tidy, args))
            return Fraction(1), {} if (op, *inside) == ("exp", ZERO) else {Call(op, inside): 1}
    return Fraction(1), {tree: 1}


def _times(left: Product, right: Product, exponent: int) -> Product:
    """Return left · right^exponent; a number that would grow too large stays a factor."""
    number, powers = left[0], dict(left[1])
    base = right[0]
    small = abs(exponent) * max(base.numerator.bit_length(), base.denominator.bit_length()) < 53
    if base != 1 and small and (base != 0 or exponent > 0):
        grown = number * base**exponent
        if max(abs(grown.numerator), grown.denominator) < LARGEST:
            number, base = grown, Fraction(1)
    if base == 0 and exponent > 0:
        return Fraction(0), {}
    own = [(Number(base.numerator), 1), (Number(base.denominator), -1)]
    for factor, power in [*right[1].items(), *(pair for pair in own if pair[0] != ONE)]:
        powers[factor] = powers.get(factor, 0) + power * exponent
    return number, {factor: power for factor, power in powers.items() if power}


def _joined(number: Fraction, powers: dict[Expression, int]) -> Expression:
    """Return a product as an expression: number, constants, states, functions, over the rest."""
    ordered = sorted(powers.items(), key=lambda pair: _rank(pair[0]))
    above = [_power(factor, power) for factor, power in ordered if power > 0]
    below = [_power(factor, -power) for factor, power in ordered if power < 0]
    if number.numerator != 1 or not above:
        above.insert(0, Number(number.numerator))
    if number.denominator != 1:
        below.insert(0, Number(number.denominator))
    return Call("/", (_all(above), _all(below))) if below else _all(above)


def _rank(factor: Expression) -> int:
    """Return where a factor stands in a product."""
    match factor:
        case Number():
            return 0
        case Name(_, when):
            return 2 if when else 1
    return 3


def _power(factor: Expression, power: int) -> Expression:
    """Return a factor to a power."""
    return factor if power == 1 else Call("**", (factor, Number(power)))


def _all(factors: list[Expression]) -> Expression:
    """Return a product of factors, bracketed to the right of the first."""
    result = factors[0]
    for factor in factors[1:]:
        result = Call("*", (result, factor))
    return result
