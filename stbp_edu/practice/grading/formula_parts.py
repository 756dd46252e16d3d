"""The parts of a right formula, and what would have to stand in one part to give an answer.

Where a formula is y = A + B·C and an answer is y', then y' - A stands in place of B·C, and
(y' - A) / B in place of C: an answer is carried down the tree by turning each operation round.
"""

import ast
import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from stbp_edu.checks import Array

FUNCTIONS: dict[str, Any] = {"exp": np.exp, "sqrt": np.sqrt, "abs": np.abs}
INVERSES: dict[str, Callable[[Array], Array]] = {
    "exp": np.log,
    "tanh": np.arctanh,
    "sqrt": np.square,
}


@dataclass(frozen=True, eq=False)
class Part:
    """A part of a formula, with the formula around it.

    Attributes:
        node: the part's own tree.
        parent: the part around it, or None for the whole.
    """

    node: ast.expr
    parent: "Part | None" = None

    @cached_property
    def code(self) -> Any:
        """The part, ready to be evaluated."""
        tree = ast.fix_missing_locations(ast.Expression(copy.deepcopy(self.node)))
        return compile(tree, "<part>", "eval")

    def value(self, values: Mapping[str, Any]) -> Array:
        """Return what the part is worth."""
        return np.asarray(eval(self.code, {"np": np, **FUNCTIONS, **values}), dtype=float)

    @cached_property
    def names(self) -> frozenset[str]:
        """The names that stand in the part."""
        return frozenset(n.id for n in ast.walk(self.node) if isinstance(n, ast.Name))

    @cached_property
    def children(self) -> tuple["Part", ...]:
        """The operands that an answer can be carried down to."""
        match self.node:
            case ast.BinOp(left=left, op=ast.Add() | ast.Sub() | ast.Mult() | ast.Div(), right=r):
                return Part(left, self), Part(r, self)
            case ast.BinOp(left=left, op=ast.Pow(), right=ast.Constant()):
                return (Part(left, self),)
            case ast.UnaryOp(operand=operand):
                return (Part(operand, self),)
            case ast.Call(args=[argument]) if self.called in (*INVERSES, "abs", "float"):
                return (Part(argument, self),)
            case ast.Call(args=[argument, *_]) if self.called in ("clip", "maximum"):
                return (Part(argument, self),)
        return ()

    @cached_property
    def called(self) -> str:
        """The last name of what the part calls, or ""."""
        function = self.node.func if isinstance(self.node, ast.Call) else None
        if isinstance(function, ast.Attribute):
            of_numpy = isinstance(function.value, ast.Name) and function.value.id == "np"
            return function.attr if of_numpy else ""
        return function.id if isinstance(function, ast.Name) else ""

    def walk(self) -> Iterator["Part"]:
        """Yield the part and all below it that an answer can be carried down to."""
        yield self
        for child in self.children:
            yield from child.walk()

    @property
    def way(self) -> list["Part"]:
        """The parts around this one, from the whole down to this one."""
        return [*(self.parent.way if self.parent else ()), self]

    def needed(self, answer: Array, values: Mapping[str, Any]) -> Array | None:
        """Return what must stand in this part's place to give ``answer``; NaN where unknown.

        None where no value does, because the answer differs along an axis that the part lacks.
        """
        if self.parent is None:
            return answer
        above = self.parent.needed(answer, values)
        if above is None:
            return None
        with np.errstate(all="ignore"):
            return _fold(self._turned_round(above, values), self.value(values).shape)

    def _turned_round(self, y: Array, values: Mapping[str, Any]) -> Array:
        """Return the operand that makes the parent's operation give y."""
        assert self.parent is not None
        node, own = self.parent.node, self.value(values)
        if isinstance(node, ast.UnaryOp):
            return -y if isinstance(node.op, ast.USub) else y
        if isinstance(node, ast.Call):
            return self._through_call(node, y, own, values)
        assert isinstance(node, ast.BinOp)
        first = node.left is self.node
        other = Part(node.right if first else node.left).value(values)
        match node.op:
            case ast.Add():
                return y - other
            case ast.Sub():
                return y + other if first else other - y
            case ast.Mult():
                return np.where(other == 0, np.nan, y / other)
            case ast.Div():
                return y * other if first else np.where(y == 0, np.nan, other / y)
        root = np.abs(y) ** (1 / other)  # a power
        return np.where(y >= 0, np.where(own < 0, -root, root), np.nan if other % 2 == 0 else -root)

    def _through_call(
        self, node: ast.Call, y: Array, own: Array, values: Mapping[str, Any]
    ) -> Array:
        """Return the argument that makes a function give y."""
        assert self.parent is not None
        name = self.parent.called
        if name == "float":
            return y
        if name == "abs":
            return np.where(y >= 0, np.where(own < 0, -y, y), np.nan)
        if name in INVERSES:
            return INVERSES[name](y)
        low, *high = (Part(limit).value(values) for limit in node.args[1:])
        inside = (y > low) & (y < high[0] if high else True)
        return np.where(inside, y, np.nan)


def _fold(value: Array, shape: tuple[int, ...]) -> Array | None:
    """Return a value without the axes that the part has not; None where it differs along them."""
    try:
        full = np.broadcast_shapes(value.shape, shape)
    except ValueError:
        return None
    value = np.broadcast_to(value, full)
    for axis in range(value.ndim):
        own = axis - value.ndim + len(shape)  # the part's axis, below 0 where it has none
        if own < 0 or shape[own] != value.shape[axis]:
            folded = _folded(value, axis)
            if folded is None:
                return None
            value = np.expand_dims(folded, axis)
    return value.reshape(shape)


def _folded(value: Array, axis: int) -> Array | None:
    """Return the value without an axis along which it is the same, else None."""
    with np.errstate(all="ignore"):
        known = np.isfinite(value)
        total = np.where(known, value, 0).sum(axis=axis)
        mean = total / known.sum(axis=axis)
        spread = np.where(known, np.abs(value - np.expand_dims(mean, axis)), 0).max(initial=0.0)
    limit = 1e-6 * max(float(np.abs(np.where(known, value, 0)).max(initial=0.0)), 1e-12)
    return mean if spread <= limit else None
