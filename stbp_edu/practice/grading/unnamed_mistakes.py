"""Describe a mistake that has no name: by a constant factor, or by one thing that is changed.

A factor is made of -1, T, S and 2. A change replaces one name, leaves out one factor or term, adds
one factor, or turns one sign or operator round. An answer with the same outcomes everywhere is
described by that factor or change.
"""

import ast
import copy
from collections.abc import Collection, Iterator, Sequence
from functools import cache
from itertools import product
from typing import Any, TypeVar

import numpy as np

from stbp_edu.practice.grading.differences import difference
from stbp_edu.practice.tasks import Inputs
from stbp_edu.practice.tasks.catalogue import Exercise, Function, define

OPPOSITE: dict[type[ast.operator], tuple[type[ast.operator], str]] = {
    ast.Add: (ast.Sub, "with a minus in place of the plus before"),
    ast.Sub: (ast.Add, "with a plus in place of the minus before"),
    ast.Mult: (ast.Div, "by dividing, not multiplying, by"),
    ast.Div: (ast.Mult, "by multiplying, not dividing, by"),
}

Tree = TypeVar("Tree", bound=ast.AST)


def constant_factor(inputs: Sequence[Inputs], outcomes: Sequence[Any], right: Sequence[Any]) -> str:
    """Return the factor, such as "-T/S", or "" where there is none; the plainest first."""
    options = product((1, -1), (0, 1, -1, 2), (0, 1, -1, 2), (0, 1, -1))
    plain = sorted(options, key=lambda c: (sum(map(abs, c[1:])), c[0] < 0))
    if not all(isinstance(value, (int, float, np.number, np.ndarray)) for value in right):
        return ""
    for sign, t, s, two in plain[1:]:  # the first is the factor 1
        factors = [sign * i.T**t * i.S**s * 2.0**two for i in inputs]
        triples = zip(outcomes, right, factors, strict=True)
        if all(difference(value, exact * k) is None for value, exact, k in triples):
            powers = (("T", t), ("S", s), ("2", two))
            up = "·".join(n if e == 1 else f"{n}²" for n, e in powers if e > 0) or "1"
            down = "·".join(n for n, e in powers if e < 0)
            return f"{'-' if sign < 0 else ''}{up}{'/' + down if down else ''}"
    return ""


@cache
def single_changes(exercise: Exercise) -> tuple[tuple[str, Function], ...]:
    """Return each change of the solution, in words and as a function, the smallest first."""
    tree = ast.parse(exercise.source())
    texts = {ast.unparse(tree)}
    functions = []
    for description, changed in changes(tree, exercise.arguments):
        text = ast.unparse(ast.fix_missing_locations(changed))
        if text not in texts:
            texts.add(text)
            functions.append((description, define(text)))
    return tuple(functions)


def changes(tree: Tree, names: Collection[str]) -> Iterator[tuple[str, Tree]]:
    """Yield every tree that differs from ``tree`` in one place, with the change in words."""
    for node in ast.walk(tree):
        for description, new in _replacements(node, names):
            yield description, copy.deepcopy(tree, {id(node): new})  # a copy with ``new`` for it


def _replacements(node: ast.AST, names: Collection[str]) -> Iterator[tuple[str, ast.expr]]:
    """Yield what could stand in place of one node, with the change in words."""
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in names:
        for name in names:
            if name != node.id:
                yield f"with `{name}` in place of `{node.id}`", ast.Name(name, ast.Load())
        for name in names:
            factor = ast.Name(name, ast.Load())
            yield f"with a factor `{name}` too many", ast.BinOp(node, ast.Mult(), factor)
    if not isinstance(node, ast.BinOp):
        return
    left, right = ast.unparse(node.left), ast.unparse(node.right)
    kind = "term" if isinstance(node.op, (ast.Add, ast.Sub)) else "factor"
    if isinstance(node.op, (ast.Add, ast.Sub, ast.Mult, ast.MatMult)):
        yield f"without the {kind} `{left}`", node.right
    yield f"without the {kind} `{right}`", node.left
    if type(node.op) in OPPOSITE:
        op, description = OPPOSITE[type(node.op)]
        yield f"{description} `{right}`", ast.BinOp(node.left, op(), node.right)
    yield (
        f"with a minus before `{left}`",
        ast.BinOp(ast.UnaryOp(ast.USub(), node.left), node.op, node.right),
    )
