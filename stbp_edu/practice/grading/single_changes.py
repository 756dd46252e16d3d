"""Every answer that differs from the right one in one place, with the change in words.

A change replaces one name, number, comparison or operation, leaves out one factor, term or call,
adds one factor, or turns one sign round.
"""

import ast
import copy
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TypeVar

from stbp_edu.practice.tasks import Exercise, Function
from stbp_edu.practice.tasks.catalogue import define

OPPOSITE: dict[type[ast.operator], tuple[type[ast.operator], str]] = {
    ast.Add: (ast.Sub, "with a minus in place of the plus before"),
    ast.Sub: (ast.Add, "with a plus in place of the minus before"),
    ast.Mult: (ast.Div, "by dividing, not multiplying, by"),
    ast.Div: (ast.Mult, "by multiplying, not dividing, by"),
}
COMPARISONS: dict[type[ast.cmpop], str] = {
    ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!=",
}  # fmt: skip
METHODS = (("mean", "sum", "max", "min", "std"), ("argmax", "argmin", "max"),
           ("f", "df", "h", "g"), ("maximum", "minimum"), ("exp", "expm1", "cosh"))  # fmt: skip
FEW_NODES = 60
"""In a longer answer the rarer changes are left out, so that trying them all takes no time."""

Tree = TypeVar("Tree", bound=ast.AST)


@dataclass(frozen=True, eq=False)
class SingleChange:
    """One change: in words, what it makes of the solution, and where."""

    words: str
    function: Function
    node: ast.AST


@cache
def single_changes(exercise: Exercise) -> tuple[SingleChange, ...]:
    """Return each change of the solution, the smallest first."""
    tree = ast.parse(exercise.source())
    local = [n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and _is_stored(n)]
    names = list(dict.fromkeys([*exercise.arguments, *(local if _is_short(tree) else ())]))
    texts = {ast.unparse(tree)}
    found = []
    for words, changed, node in changes(tree, names):
        text = ast.unparse(changed)
        if text not in texts:
            texts.add(text)
            found.append(SingleChange(words, define(text), node))
    return tuple(found)


def readings(descriptions: Sequence[str]) -> str:
    """Return the descriptions that fit, at most three of them, as one clause.

    >>> readings(["without the factor `h`", "with a minus before `h`"])
    'without the factor `h`, or with a minus before `h` (both fit)'
    """
    few = list(dict.fromkeys(descriptions))[:3]
    fit = {1: "", 2: " (both fit)"}.get(len(few), " (all of them fit)")
    return ", or ".join(few) + fit


def changes(tree: Tree, names: Collection[str]) -> Iterator[tuple[str, Tree, ast.AST]]:
    """Yield every tree that differs from ``tree`` in one place, with the change and the place."""
    short = _is_short(tree)
    inside = {id(node): set(map(id, ast.walk(node))) for node in ast.walk(tree)}
    for node in list(ast.walk(tree)):
        shared = {id(n): n for n in ast.walk(tree) if id(node) not in inside[id(n)]}
        for words, new in (*_replacements(node, names), *(_rarer(node) if short else ())):
            changed = copy.deepcopy(tree, {**shared, id(node): new})  # ``new`` takes its place
            yield words, changed, node


def _is_short(tree: ast.AST) -> bool:
    """Return whether an answer is short enough to try every change of it."""
    return sum(isinstance(node, ast.expr) for node in ast.walk(tree)) <= FEW_NODES


def _is_stored(node: ast.Name) -> bool:
    """Return whether a name is given a value here."""
    return isinstance(node.ctx, ast.Store)


def _replacements(node: ast.AST, names: Collection[str]) -> Iterator[tuple[str, ast.AST]]:
    """Yield what could stand in place of one node, with the change in words."""
    match node:
        case ast.Name(id=own, ctx=ast.Load()) if own in names:
            for name in names:
                if name != own:
                    yield f"with `{name}` in place of `{own}`", ast.Name(name, ast.Load())
            for name in names:
                factor = ast.Name(name, ast.Load())
                yield f"with a factor `{name}` too many", ast.BinOp(node, ast.Mult(), factor)
        case ast.BinOp():
            yield from _of_operation(node)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            yield f"without the minus before `{ast.unparse(operand)}`", operand
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
            for other in (value + 1, value - 1, 2 * value, value / 2, -value):
                if other != value:
                    yield f"with {other:g} in place of {value:g}", ast.Constant(other)
        case ast.Compare(left=left, ops=[op], comparators=others) if type(op) in COMPARISONS:
            for kind, sign in COMPARISONS.items():
                if not isinstance(op, kind):
                    words = f"with `{sign}` in place of `{COMPARISONS[type(op)]}`"
                    yield words, ast.Compare(left, [kind()], others)
        case ast.Attribute(value=value, attr=own):
            for name in (n for group in METHODS if own in group for n in group if n != own):
                words = f"with `{name}` in place of `{own}`"
                yield words, ast.Attribute(value, name, node.ctx)


def _of_operation(node: ast.BinOp) -> Iterator[tuple[str, ast.expr]]:
    """Yield what could stand in place of one operation, with the change in words."""
    left, right = ast.unparse(node.left), ast.unparse(node.right)
    kind = "term" if isinstance(node.op, (ast.Add, ast.Sub)) else "factor"
    if isinstance(node.op, (ast.Add, ast.Sub, ast.Mult, ast.MatMult)):
        yield f"without the {kind} `{left}`", node.right
    if isinstance(node.op, ast.Pow):
        yield f"without the power of `{left}`", node.left
    else:
        yield f"without the {kind} `{right}`", node.left
    if type(node.op) in OPPOSITE:
        op, words = OPPOSITE[type(node.op)]
        yield f"{words} `{right}`", ast.BinOp(node.left, op(), node.right)
    minus = ast.UnaryOp(ast.USub(), node.left)
    yield f"with a minus before `{left}`", ast.BinOp(minus, node.op, node.right)


def _rarer(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """Yield the rarer replacements, for a short answer."""
    match node:
        case ast.BinOp(left=left, op=op, right=right):
            names = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Pow: "**"}
            if type(op) not in names:
                return
            for kind, sign in names.items():
                if kind not in (type(op), OPPOSITE.get(type(op), (None,))[0]):
                    text = ast.unparse(right)
                    words = f"with `{sign}` in place of `{names[type(op)]}` before `{text}`"
                    yield words, ast.BinOp(left, kind(), right)
            if not isinstance(op, (ast.Add, ast.Mult)):
                words = f"with `{ast.unparse(left)}` and `{ast.unparse(right)}` swapped"
                yield words, ast.BinOp(right, op, left)
        case ast.Call(func=function, args=[argument], keywords=[]):
            yield f"without `{ast.unparse(function)}`", argument
