"""The places of a right answer, each with a hole into which anything can be put.

A place is compiled once: the solution with ``_put(lambda: node, its parts, the names)`` where the
node stood. What is put there decides what becomes of it, and no other line changes.
"""

import ast
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import numpy as np

ALL = -1
FUNCTIONS = {"np": np, "exp": np.exp, "sqrt": np.sqrt}


@dataclass(frozen=True, eq=False)
class Place:
    """One place of a solution.

    Attributes:
        tree: the whole solution.
        node: what stands there.
        slot: the list or table of the tree that holds it, and where in it.
        names: the arguments, and the names that the solution gives values to.
        called: whether it is a function that is called.
        result: which of several results it is; ALL for the whole; None for a part of one.
    """

    tree: ast.Module
    node: ast.expr
    slot: tuple[Any, Any]
    names: tuple[str, ...]
    called: bool
    result: int | None

    @cached_property
    def text(self) -> str:
        """The place as it is written; empty for the result."""
        return "" if self.result is not None else ast.unparse(self.node)

    @cached_property
    def parts(self) -> list[ast.expr]:
        """What can be put together anew in it: operands, arguments, or what is indexed."""
        if isinstance(self.node, ast.Call):
            of = [self.node.func.value] if isinstance(self.node.func, ast.Attribute) else []
            return [part for part in (*self.node.args, *of) if _has_a_value(part)]
        if isinstance(self.node, ast.Subscript):
            return [self.node.value]
        children = [c for c in ast.iter_child_nodes(self.node) if isinstance(c, ast.expr)]
        return [] if any(isinstance(c, ast.Starred) for c in children) else children

    def within(self, other: "Place") -> bool:
        """Return whether this place is a part of another."""
        return self is not other and any(self.node is node for node in ast.walk(other.node))

    @cached_property
    def _space(self) -> dict[str, Any]:
        """The names of the solution with the hole."""
        names = [ast.Name(name, ast.Load()) for name in self.names]
        nothing = ast.arguments([], [], None, [], [], None, [])
        given: list[ast.expr] = [ast.Lambda(nothing, n) for n in (self.node, *self.parts, *names)]
        hole = ast.Call(ast.Name("_put", ast.Load()), given, [])
        ast.fix_missing_locations(ast.copy_location(hole, self.node))
        holder, at = self.slot
        holder[at] = hole
        try:
            code = compile(self.tree, "<place>", "exec")
        finally:
            holder[at] = self.node
        space = dict(FUNCTIONS)
        exec(code, space)
        return space

    def changed(
        self, change: Callable[..., Any], takes: Sequence[int] = (0,)
    ) -> Callable[..., Any]:
        """Return the solution with a function of something in this place.

        It takes what belongs there (0), or else the parts of that (from 1) and the names (after
        the parts).
        """
        space = self._space
        function = space[self.tree.body[0].name]  # type: ignore[attr-defined]

        def other(*args: Any) -> Any:
            space["_put"] = lambda *given: change(*[given[k]() for k in takes])
            return function(*args)

        return other

    @cached_property
    def made_of(self) -> str:
        """The place by what is in it, without giving it away."""
        if isinstance(self.node, (ast.Name, ast.Constant)):
            return f"`{ast.unparse(self.node)}`"
        used = {n.id for n in ast.walk(self.node) if isinstance(n, ast.Name)}
        names = [f"`{name}`" for name in self.names if name in used]
        return f"what is made of {' and '.join(names)}" if names else "a number"


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
    whole = returned[0] if len(returned) == 1 else None
    several = whole.elts if isinstance(whole, ast.Tuple) else []
    results = {id(whole): ALL, **{id(part): k for k, part in enumerate(several)}}
    return tuple(
        Place(tree, node, (holder, at), names, id(node) in called, results.get(id(node)))
        for parent in every
        for holder, at, node in _children(parent)
        if isinstance(node, ast.expr) and _can_change(node)
    )


def _children(parent: ast.AST) -> Iterator[tuple[Any, Any, Any]]:
    """Yield what a node consists of, each with the list or table that holds it and where in it."""
    for field, value in vars(parent).items():
        if isinstance(value, list):
            yield from ((value, k, entry) for k, entry in enumerate(value))
        else:
            yield vars(parent), field, value


def _can_change(node: ast.expr) -> bool:
    """Return whether something else can stand in place of a node."""
    if isinstance(node, (ast.Slice, ast.JoinedStr, ast.Lambda)) or not _has_a_value(node):
        return False
    if isinstance(node, ast.Constant) and not isinstance(node.value, (int, float)):
        return False
    return isinstance(getattr(node, "ctx", ast.Load()), ast.Load)


def _has_a_value(node: ast.expr) -> bool:
    """Return whether a node has a value of interest: NumPy and float as names have none."""
    return not isinstance(node, ast.Starred) and ast.unparse(node) not in ("np", "float")
