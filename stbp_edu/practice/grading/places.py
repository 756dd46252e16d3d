"""The places of a right answer, each with a hole into which anything can be put.

A place is compiled once: the solution with ``_put(lambda: node, its parts, the names)`` where the
node stood. What is put there decides what becomes of it, and no other line changes.
"""

import ast
import copy
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import numpy as np

ALL = -1
FUNCTIONS = {"np": np, "exp": np.exp, "sqrt": np.sqrt}
Thunk = Callable[[], Any]
Put = Callable[[Thunk, Sequence[Thunk], Sequence[Thunk]], Any]
"""Returns what stands in a place, given what belongs there, its parts, and the known names."""


def parts_of(node: ast.expr) -> list[ast.expr]:
    """Return the parts of a node that can be put together anew: its operands or arguments."""
    if isinstance(node, ast.Call):
        of = [node.func.value] if isinstance(node.func, ast.Attribute) else []
        return [part for part in (*node.args, *of) if _has_a_value(part)]
    if isinstance(node, ast.Subscript):
        return [node.value]
    children = [c for c in ast.iter_child_nodes(node) if isinstance(c, ast.expr)]
    return [] if any(isinstance(c, ast.Starred) for c in children) else children


def _has_a_value(node: ast.expr) -> bool:
    """Return whether a node has a value of interest: NumPy and float as names have none."""
    return not isinstance(node, ast.Starred) and ast.unparse(node) not in ("np", "float")


@dataclass(frozen=True, eq=False)
class Place:
    """One place of the right answer.

    Attributes:
        tree: the whole solution.
        node: what stands there.
        names: the arguments, and the names that the solution gives values to.
        called: whether it is a function that is called.
        result: which of several results it is; ALL for the whole; None for a part of one.
    """

    tree: ast.Module
    node: ast.expr
    names: tuple[str, ...]
    called: bool
    result: int | None

    @cached_property
    def text(self) -> str:
        """The place as it is written; empty for the result."""
        return "" if self.result is not None else ast.unparse(self.node)

    def within(self, other: "Place") -> bool:
        """Return whether this place is a part of another."""
        return self is not other and any(self.node is node for node in ast.walk(other.node))

    @cached_property
    def _space(self) -> dict[str, Any]:
        """The names of the solution with the hole."""
        names: list[ast.expr] = [ast.Name(name, ast.Load()) for name in self.names]
        rows = [[*map(_later, row)] for row in (parts_of(self.node), names)]
        given = _later(self.node), *(ast.Tuple(row, ast.Load()) for row in rows)
        hole = ast.Call(ast.Name("_put", ast.Load()), [*given], [])
        tree = copy.deepcopy(self.tree, {id(self.node): hole})
        space = dict(FUNCTIONS)
        exec(compile(ast.fix_missing_locations(tree), "<place>", "exec"), space)
        return space

    def changed(self, put: Put) -> Callable[..., Any]:
        """Return the solution with something else in this place."""
        space = self._space
        function = space[self.tree.body[0].name]  # type: ignore[attr-defined]

        def other(*args: Any) -> Any:
            space["_put"] = put
            return function(*args)

        return other

    def of(self, change: Callable[[Any], Any]) -> Callable[..., Any]:
        """Return the solution with a function of what belongs in this place."""
        return self.changed(lambda whole, parts, names: change(whole()))

    @cached_property
    def made_of(self) -> str:
        """The place by what is in it, without giving it away."""
        if isinstance(self.node, (ast.Name, ast.Constant)):
            return f"`{ast.unparse(self.node)}`"
        used = {n.id for n in ast.walk(self.node) if isinstance(n, ast.Name)}
        names = [f"`{name}`" for name in self.names if name in used]
        return f"what is made of {' and '.join(names)}" if names else "a number"


def _later(node: ast.expr) -> ast.expr:
    """Return a function that evaluates a node when it is called."""
    return ast.Lambda(ast.arguments([], [], None, [], [], None, []), node)


@cache
def places(source: str) -> tuple[Place, ...]:
    """Return every place of a solution, from the outside to the inside."""
    tree = ast.parse(source)
    (function,) = tree.body
    assert isinstance(function, ast.FunctionDef)
    every = list(ast.walk(function))
    stored = [n.id for n in every if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]
    names = tuple(dict.fromkeys([*(a.arg for a in function.args.args), *stored]))
    called = {id(n.func) for n in every if isinstance(n, ast.Call)}
    returned = [n.value for n in every if isinstance(n, ast.Return) and n.value]
    results = dict(_results(returned[0])) if len(returned) == 1 else {}
    return tuple(
        Place(tree, node, names, id(node) in called, results.get(id(node)))
        for node in every
        if isinstance(node, ast.expr) and _can_change(node)
    )


def _results(node: ast.expr) -> Iterator[tuple[int, int]]:
    """Yield a returned expression and, of several results, each with its number."""
    yield id(node), ALL
    if isinstance(node, ast.Tuple):
        yield from ((id(part), k) for k, part in enumerate(node.elts))


def _can_change(node: ast.expr) -> bool:
    """Return whether something else can stand in place of a node."""
    if isinstance(node, (ast.Slice, ast.JoinedStr, ast.Lambda)) or not _has_a_value(node):
        return False
    if isinstance(node, ast.Constant) and not isinstance(node.value, (int, float)):
        return False
    return isinstance(getattr(node, "ctx", ast.Load()), ast.Load)
