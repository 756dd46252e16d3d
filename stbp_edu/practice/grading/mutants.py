"""Change one thing in the right formula, so that a mistake without a name can still be told.

Each mutant is the solution with one name replaced, one factor or term left out, one factor too
many, one sign or operator turned round. An answer that equals a mutant everywhere is described by
that change.
"""

from __future__ import annotations

import ast
import copy
import inspect
from collections.abc import Iterator
from functools import cache
from typing import Any, TypeVar

from stbp_edu.practice.exercises.exercise import Exercise, Function, define

OPPOSITE: dict[type[ast.operator], tuple[type[ast.operator], str]] = {
    ast.Add: (ast.Sub, "with a minus in place of the plus before"),
    ast.Sub: (ast.Add, "with a plus in place of the minus before"),
    ast.Mult: (ast.Div, "by dividing, not multiplying, by"),
    ast.Div: (ast.Mult, "by multiplying, not dividing, by"),
}

Tree = TypeVar("Tree", bound=ast.AST)


@cache
def mutants(exercise: Exercise) -> tuple[tuple[str, Function], ...]:
    """Return each change in words with its function, the smallest changes first."""
    source = exercise.source()
    tree = ast.parse(source)
    names = list(inspect.signature(exercise.function()).parameters)
    found: dict[str, tuple[str, Function]] = {}
    for words, changed in changes(tree, names):
        text = ast.unparse(ast.fix_missing_locations(changed))
        if text != ast.unparse(tree):
            found.setdefault(text, (words, define(text)))
    return tuple(found.values())


def changes(tree: Tree, names: list[str]) -> Iterator[tuple[str, Tree]]:
    """Walk every tree that differs from ``tree`` in one place, with words for the change."""
    for k, node in enumerate(ast.walk(tree)):
        for words, new in _replacements(node, names):
            yield words, _replaced(tree, k, new)


def _replacements(node: ast.AST, names: list[str]) -> Iterator[tuple[str, ast.expr]]:
    """Walk what could stand in place of one node."""
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in names:
        for name in names:
            if name != node.id:
                words = f"with `{name}` in place of `{node.id}`"
                yield words, ast.Name(name, ast.Load())
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
        op, words = OPPOSITE[type(node.op)]
        yield f"{words} `{right}`", ast.BinOp(node.left, op(), node.right)
    yield (
        f"with a minus before `{left}`",
        ast.BinOp(ast.UnaryOp(ast.USub(), node.left), node.op, node.right),
    )


def _replaced(tree: Tree, k: int, new: ast.expr) -> Any:
    """Return a copy of ``tree`` whose k-th node, in the order of ast.walk, is ``new``."""
    result = copy.deepcopy(tree)
    target = list(ast.walk(result))[k]

    class Replace(ast.NodeTransformer):
        def visit(self, node: ast.AST) -> ast.AST:
            return copy.deepcopy(new) if node is target else self.generic_visit(node)

    return Replace().visit(result)
