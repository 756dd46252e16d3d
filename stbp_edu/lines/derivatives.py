"""Derivatives of expressions: a sum with one term for each argument that has the name in it.

A change of a name reaches an operation through its arguments. So the derivative of ``op(a, b)`` is
that of the operation by a, times that of a, plus the same of b: one term for each arrow.
"""

from __future__ import annotations

import ast
from collections.abc import Collection
from fractions import Fraction
from functools import partial, reduce

from stbp_edu.lines.expressions import (
    ONE,
    ZERO,
    Function,
    args_of,
    call,
    key,
    names_in,
    op_of,
    parse,
    replaced,
    symbol,
    with_args,
)
from stbp_edu.lines.operations import OPERATIONS

MINUS_ONE = call("neg", ONE)
SLOPES = {name: [*map(parse, of.slopes)] for name, of in OPERATIONS.items()}
"""The derivative of each operation by its arguments, a and b."""


def derivative(tree: ast.expr, by: str, constants: Collection[str] = ()) -> ast.expr:
    """Return the derivative of an expression by a name, tidied.

    >>> ast.unparse(derivative(parse("tau * u ** 2 + exp(-x)"), "u"))
    '2 * tau * u'
    """
    return tidy(_slope(tree, by, constants), constants)


def _slope(tree: ast.expr, by: str, constants: Collection[str]) -> ast.expr:
    """Return the derivative of an expression by a name, as the sum over its arguments."""
    if isinstance(tree, ast.Name) and tree.id == by:
        return ONE
    op = op_of(tree)
    args = args_of(tree)

    def partly(function: Function, name: str, label: str) -> ast.expr:
        """Return the derivative of a function by one of its arguments, or by a constant."""
        body = derivative(function.body, name, constants)
        return Function(label, function.parameters, body)(*args)

    terms = []
    for k, arg in enumerate(args):
        if by not in names_in(arg):
            continue
        if isinstance(op, Function):
            label = f"{op.label}'" if len(args) == 1 else rf"\partial_{k + 1}{op.label}"
            factor = partly(op, op.parameters[k], label)
        else:
            factor = replaced(SLOPES[op][k], dict(zip("ab", args, strict=False)))
        terms.append(call("*", factor, _slope(arg, by, constants)))
    if isinstance(op, Function) and by in names_in(op.body):  # a constant
        terms.append(partly(op, by, rf"\partial_{{{symbol(by)}}}{op.label}"))
    return reduce(partial(call, "+"), terms) if terms else ZERO


Powers = dict[str, tuple[ast.expr, int]]
"""The factors of a product by their keys, each with its exponent."""
Product = tuple[Fraction, Powers]
"""A rational number, and the factors beside it."""
LARGEST = 2**53  # an integer, of which each smaller one is a float


def tidy(tree: ast.expr, constants: Collection[str] = ()) -> ast.expr:
    """Return an expression with 0, 1 and what cancels taken out; products of sums stay.

    In a product, numbers come first, then the names in ``constants``, other names, and functions.

    >>> ast.unparse(tidy(parse("u * 1 * k + 0 * w - (u - u) + 3 * (2 - 1)"), ["k"]))
    'k * u + 3'
    """
    return _Tidying(constants).tidied(tree)


class _Tidying:
    """What puts expressions in order, given which names are constants."""

    def __init__(self, constants: Collection[str]) -> None:
        self.constants = constants

    def tidied(self, tree: ast.expr) -> ast.expr:
        """Return an expression in order, the terms with a minus last."""
        result: ast.expr | None = None
        terms = [term for term in self._sum(tree) if term[0]]
        for number, powers in sorted(terms, key=lambda term: term[0] < 0):
            size = self._joined(abs(number), powers)
            if result:
                result = call("+" if number > 0 else "-", result, size)
            else:
                result = size if number > 0 else _minus(size)
        return result or ZERO

    def _sum(self, tree: ast.expr) -> list[Product]:
        """Return an expression as a sum of products, alike ones together."""
        if isinstance(tree, ast.Constant) and isinstance(tree.value, int):
            return [(Fraction(tree.value), {})]
        op = op_of(tree)
        args = args_of(tree)
        match op:
            case "neg":
                return [(-number, powers) for number, powers in self._sum(args[0])]
            case "+" | "-":
                first, other = args
                second = self._sum(other if op == "+" else call("neg", other))
                alike: dict[frozenset[tuple[str, int]], Product] = {}
                for number, powers in self._sum(first) + second:
                    names = frozenset((k, power) for k, (_, power) in powers.items())
                    so_far, same = alike.get(names, (0, powers))
                    alike[names] = so_far + number, same
                return [*alike.values()]
            case "*" | "/":
                a, b = map(self._product, args)
                return [_times(a, b, 1 if op == "*" else -1)]
            case "**":
                exponent, named = self._product(args[1])
                if not named and exponent.denominator == 1:
                    one: Product = Fraction(1), {}
                    return [_times(one, self._product(args[0]), int(exponent))]
        tree = with_args(tree, [self.tidied(arg) for arg in args])
        if key(tree) == "exp(0)":
            return [(Fraction(1), {})]
        return [(Fraction(1), {key(tree): (tree, 1)})]

    def _product(self, tree: ast.expr) -> Product:
        """Return an expression as one product, of which a sum is a factor."""
        terms = [term for term in self._sum(tree) if term[0]]
        if not terms:
            return Fraction(0), {}
        if len(terms) == 1:
            return terms[0]
        tree = self.tidied(tree)
        return Fraction(1), {key(tree): (tree, 1)}

    def _joined(self, number: Fraction, powers: Powers) -> ast.expr:
        """Return a product: number, constants, states and functions, over the rest."""
        above: list[ast.expr] = []
        below: list[ast.expr] = []
        for factor, power in sorted(powers.values(), key=self._rank):
            size = (
                factor
                if abs(power) == 1
                else call("**", factor, ast.Constant(abs(power)))
            )
            (above if power > 0 else below).append(size)
        if number.numerator != 1 or not above:
            above.insert(0, ast.Constant(number.numerator))
        if number.denominator != 1:
            below.insert(0, ast.Constant(number.denominator))
        times = partial(call, "*")
        product = reduce(times, above)
        return call("/", product, reduce(times, below)) if below else product

    def _rank(self, factor: tuple[ast.expr, int]) -> int:
        """Return the place of a factor in a product."""
        match factor[0]:
            case ast.Constant():
                return 0
            case ast.Name(id=name):
                return 1 if name in self.constants else 2
        return 3


def _minus(tree: ast.expr) -> ast.expr:
    """Return minus a product, the sign at its number where it has one."""
    match tree:
        case ast.BinOp(left=ast.Constant() as number, op=ast.Mult(), right=rest):
            return call("*", call("neg", number), rest)
    return call("neg", tree)


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
    more = [*factors.values()]
    for whole, power in ((base.numerator, 1), (base.denominator, -1)):
        if whole != 1:
            more.append((ast.Constant(whole), power))
    product = dict(powers)
    for factor, power in more:
        first, so_far = product.get(key(factor), (factor, 0))
        product[key(factor)] = first, so_far + power * exponent
    return number, {name: pair for name, pair in product.items() if pair[1]}
