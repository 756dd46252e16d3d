"""The places of a right answer, in each of which something else can be put."""

import ast
import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import numpy as np

ALL = -1
Change = Callable[..., Any]


@dataclass(frozen=True, eq=False)
class SolutionPlace:
    """One place of a solution, and the expression there."""

    tree: ast.Module
    node: ast.expr
    names: tuple[str, ...]  # the arguments, and what else the solution gives values to
    result: (
        int | None
    )  # which of several results it is; ALL for the whole; None for a part of one

    @cached_property
    def text(self) -> str:
        """The place as it is written; empty for the result."""
        return "" if self.result is not None else ast.unparse(self.node)

    @cached_property
    def made_of(self) -> str:
        """The place by what is in it, without giving it away."""
        if isinstance(self.node, (ast.Name, ast.Constant)):
            return f"`{ast.unparse(self.node)}`"
        used = _values_of(self.node)
        names = [f"`{name}`" for name in self.names if name in used]
        if not names:
            return "a number"
        return f"the part made of {' and '.join(names)}"

    @cached_property
    def parts(self) -> list[ast.expr]:
        """The parts of it that can be exchanged: operands, arguments, or what is indexed."""
        node = self.node
        if isinstance(node, ast.Call):
            given = list(node.args)
            if isinstance(node.func, ast.Attribute):
                given.append(node.func.value)
            return [part for part in given if _has_a_value(part)]
        if isinstance(node, ast.Subscript):
            return [node.value]
        inner = ast.iter_child_nodes(node)
        parts = [part for part in inner if isinstance(part, ast.expr)]
        if any(isinstance(part, ast.Starred) for part in parts):
            return []
        return parts

    def with_node(self, node: ast.expr) -> tuple[Change, dict[str, Any]]:
        """Return the solution with something else in this place, and the places of its names."""
        in_place = {id(self.node): node}
        tree = copy.deepcopy(self.tree, in_place)
        space: dict[str, Any] = {"np": np, "exp": np.exp, "sqrt": np.sqrt}
        program = compile(ast.fix_missing_locations(tree), "<place>", "exec")
        exec(program, space)
        name = tree.body[0].name  # type: ignore[attr-defined]
        return space[name], space

    @cached_property
    def _hole(self) -> tuple[Change, dict[str, Any]]:
        """The solution with ``_put(lambda: node, its parts, the names)`` where the node was."""
        names = [ast.Name(name, ast.Load()) for name in self.names]
        nothing = ast.arguments([], [], None, [], [], None, [])
        parts = (self.node, *self.parts, *names)
        given: list[ast.expr] = [ast.Lambda(nothing, part) for part in parts]
        put = ast.Name("_put", ast.Load())
        return self.with_node(ast.Call(put, given, []))

    def changed(self, change: Change, takes: Sequence[int] = (0,)) -> Change:
        """Return the solution with ``change`` in this place, of what a hypothesis says it takes."""
        function, space = self._hole

        def put(*given: Callable[[], Any]) -> Any:
            taken = [given[k]() for k in takes]
            return change(*taken)

        def other(*args: Any) -> Any:
            space["_put"] = put
            return function(*args)

        return other


@cache
def places(source: str) -> tuple[SolutionPlace, ...]:
    """Return every place of a solution, from the outside to the inside."""
    tree = ast.parse(source)
    function: Any = tree.body[0]
    every = list(ast.walk(function))
    arguments = [argument.arg for argument in function.args.args]
    read_or_stored = [node for node in every if isinstance(node, ast.Name)]
    stored = [name.id for name in read_or_stored if isinstance(name.ctx, ast.Store)]
    names = tuple(dict.fromkeys(arguments + stored))
    results = _results(every)
    found = []
    for node in every:
        if isinstance(node, ast.expr) and _has_a_value(node):
            result = results.get(id(node))
            found.append(SolutionPlace(tree, node, names, result))
    return tuple(found)


def _results(nodes: Sequence[ast.AST]) -> dict[int, int]:
    """Return which result a function returns where, if it returns in one place."""
    returns = [node for node in nodes if isinstance(node, ast.Return)]
    returned = [node.value for node in returns if node.value]
    if len(returned) != 1:
        return {}
    (whole,) = returned
    results = {id(whole): ALL}
    if isinstance(whole, ast.Tuple):
        for k, part in enumerate(whole.elts):
            results[id(part)] = k
    return results


def _values_of(node: ast.AST) -> set[str]:
    """Return the names whose values are used, and not only how many they are, as in len(x)."""
    if isinstance(node, ast.Name):
        return {node.id}
    if isinstance(node, ast.Call) and ast.unparse(node.func) == "len":
        return set()
    if isinstance(node, ast.Attribute) and node.attr == "shape":
        return set()
    return set().union(*map(_values_of, ast.iter_child_nodes(node)))


def _has_a_value(node: ast.expr) -> bool:
    """Return whether a node has a value of interest: NumPy and float as names have none."""
    if isinstance(node, ast.Constant):
        return isinstance(node.value, (int, float))
    if isinstance(node, (ast.Slice, ast.JoinedStr, ast.Lambda, ast.Starred)):
        return False
    context = getattr(node, "ctx", ast.Load())
    is_read = isinstance(context, ast.Load)
    return is_read and ast.unparse(node) not in ("np", "float")
