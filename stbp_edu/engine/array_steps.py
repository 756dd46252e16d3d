"""The steps of a derived neuron on whole arrays of NumPy or PyTorch: forward, and linearly back."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from stbp_edu.arrows.rules import groups
from stbp_edu.checks import Array
from stbp_edu.engine.array_source import ArraySource, Move
from stbp_edu.engine.loop_source import LoopSource
from stbp_edu.engine.loops import FLOOR

STRETCH = 32_768
"""Entries of several steps whose factors are computed at a time: 128 KB in float32. Larger arrays
would leave the cache, and the system gives them new memory each time."""

Arrays = Mapping[str, Any]
Factors = dict[Move, Any]


@dataclass(frozen=True)
class LinearSteps(ArraySource, ABC):
    """The steps of a neuron on whole arrays; a subclass says of which library."""

    xp: ClassVar[Any] = np

    @property
    @abstractmethod
    def functions(self) -> Mapping[str, Callable[..., Any]]:
        """What the source calls: ``spike``, ``h``, and functions of the library."""

    @cached_property
    def space(self) -> dict[str, Any]:
        """The functions of the source."""
        space = dict(self.functions)
        exec(compile(self.text, "<derived>", "exec"), space)
        return space

    def fill_states(
        self,
        drive: Any,
        states: Arrays,
        constants: Sequence[Any],
        R: Any,
        b: Any = None,
    ) -> None:
        """Fill the states of all steps, by name, (T, S, ...) each.

        The weights bring ``drive``, to which the rest of the input is added; the memory of a state
        may be the same where no line reads the input after that state's. ``R`` multiplies the
        outputs of the step before from the right.
        """
        lines, output = self.back.lines, self.back.neuron.output
        given = [*constants, *self.space["constants"](*constants)]
        series, at = (
            [states[name] for name in lines.lines],
            [*lines.lines].index(output),
        )
        last = [self.xp.zeros_like(drive[0])] * len(series)
        for t, x in enumerate(drive):
            if b is not None:
                x += b
            if R is not None and t:
                x += _through(last[at], R)  # p2-recur-u
            places = [of[t] for of in series]
            self.space["forward"](*last, x, *given, *places)
            last = places

    def fill_adjoints(
        self,
        states: Arrays,
        signals: Arrays,
        found: Arrays,
        constants: Sequence[Any],
        R: Any,
    ) -> dict[str, Any]:
        """Fill the adjoints to keep, ``found``; return what is learned, by sample and neuron.

        All are of all steps, by name, (T, S, ...) each; a signal that is missing is 0. The first
        adjoint may be the memory of the first signal.
        """
        some = next(iter(found.values()))
        given = [*constants, *self.space["constants"](*constants)]
        size = max(
            1, STRETCH // max(1, some[0].size if self.xp is np else some[0].numel())
        )
        later: dict[str, Any] = {}
        learned = dict.fromkeys(self.back.neuron.learned, 0.0)
        for end in range(len(some), 0, -size):
            here = slice(max(0, end - size), end)
            read = [self._around(states, name, here) for name in self.back.reads]
            factors = self.space["factors"](*read, *given)
            if self.back.rule.gain_limit is not None:
                self._hold(factors, some[here])
            series = self._begun(factors, signals, found, here)
            later = self._recur(factors, series, here.start, later, R)
            for (g, node), factor in factors.items():
                if g[:2] == "g_":
                    learned[g[2:]] = learned[g[2:]] + (factor * series[node]).sum(0)
            if self.xp is np and some.dtype == np.float32:
                for name in found:  # which settles what is next to 0: see FLOOR
                    series[name] += np.float32(FLOOR)
                    series[name] -= np.float32(FLOOR)
        return learned

    def _around(self, states: Arrays, name: str, here: slice) -> Any:
        """Return a state at some steps, or at the steps before or after them."""
        if name in states:
            return states[name][here]
        series = states[name.removesuffix("_last").removesuffix("_next")]
        if name.endswith("_last"):
            before = series[max(0, here.start - 1) : here.stop - 1]
            rest = self.xp.zeros_like(series[:1])
            return before if here.start else self.xp.concatenate([rest, before])
        after = series[here.start + 1 : here.stop + 1]
        return (
            after
            if here.stop < len(series)
            else self.xp.concatenate([after, series[-1:]])
        )

    def _begun(
        self, factors: Factors, signals: Arrays, found: Arrays, here: slice
    ) -> dict[str, Any]:
        """Return by adjoint what the signals bring to it at some steps, where it is kept if so."""
        first, some = next(iter(found.items()))
        series: dict[str, Any] = {}
        # The first one may be the memory of the first signal: the others read it before.
        ordered = [*dict.fromkeys([*self.back.signals, *(of for _, of in factors)])]
        for node in sorted(self.nodes, key=lambda node: node == first):
            place = (
                found[node][here] if node in found else self.xp.empty_like(some[here])
            )
            of_node = [of for of in ordered if (node, of) in factors and of in signals]
            for of in of_node[:1]:
                self.xp.multiply(signals[of][here], factors[node, of], out=place)
            for of in of_node[1:]:
                place += factors[node, of] * signals[of][here]
            if not of_node:
                place[...] = 0
            series[node] = place
        return series

    def _recur(
        self,
        factors: Factors,
        series: Arrays,
        start: int,
        later: dict[str, Any],
        R: Any,
    ) -> dict[str, Any]:
        """Add to the adjoints, from the last of some steps down, what the next step hands back."""
        some = next(iter(series.values()))
        steps, room = len(some), self.xp.empty_like(some[0])
        again = dict(self.again)
        moves: dict[str, Any] = {
            node: (adjoints, []) for node, adjoints in series.items()
        }
        for (node, of), factor in factors.items():
            if node in moves and (of in again or of.endswith("_next")):
                whole = getattr(factor, "ndim", 0) == some.ndim
                each = factor if whole else [factor] * steps
                moves[node][1].append((of.removesuffix("_next"), each))
        for t in range(steps - 1, -1, -1):
            if self.back.rule.ends_block(start + t):
                later = {}
            later |= {
                name: _through(later[d], R) for name, d in again.items() if d in later
            }
            now = {}
            for node, (adjoints, own) in moves.items():
                now[node] = adjoint = adjoints[t]
                for of, factor in own:
                    if of in later:
                        adjoint += self.xp.multiply(later[of], factor[t], out=room)
            later = now
        return later

    def _hold(self, factors: Factors, some: Any) -> None:
        """Hold the gain of each group of adjoints from step to step within the rule's limit."""
        limit = self.back.rule.gain_limit
        heads = [n for n in self.nodes if any(of == f"{n}_next" for _, of in factors)]
        there = np.array([[(i, f"{k}_next") in factors for k in heads] for i in heads])
        ones = self.xp.ones_like(some)
        for group in groups(there) if heads else ():
            names = [heads[k] for k in group]
            gains = [
                factors.get((i, f"{k}_next"), 0) * ones for i in names for k in names
            ]
            norm = abs(gains[0])
            if len(group) > 1:
                matrix = self.xp.stack(gains, -1).reshape(
                    *some.shape, len(group), len(group)
                )
                norm = self.xp.linalg.norm(matrix, 2, (-2, -1))
            scale = limit / norm.clip(min=limit)  # gain-limit, gain-bound
            for move in factors:
                if move[1].removesuffix("_next") in names and move[1].endswith("_next"):
                    factors[move] = factors[move] * scale


def _through(adjoint: Any, R: Any) -> Any:
    """Return rows through recurrent weights."""
    return (adjoint.reshape(len(adjoint), -1) @ R).reshape(adjoint.shape)


@dataclass(frozen=True)
class ArraySteps(LinearSteps):
    """The steps of one layer in NumPy.

    Attributes:
        fires: another function in place of the spike, where one is given.
    """

    fires: Callable[[Any], Any] | None = None

    @property
    def functions(self) -> Mapping[str, Callable[..., Any]]:
        """What the source calls, of NumPy."""
        curve = self.back.neuron.surrogate
        fires = curve.antiderivative if self.twin else lambda v: _at_least(v, 0)
        return {**NUMPY, "h": curve.derivative, "spike": self.fires or fires}

    @cached_property
    def loops(self) -> str:
        """The source of the loops that do the same."""
        return LoopSource(self.back, self.wanted, self.twin).text

    @property
    def states(self) -> tuple[str, ...]:
        """The states, in the order in which a step computes them."""
        return self.back.neuron.order

    def forward(self, states: Arrays, p: Arrays, spikes: Array | None = None) -> None:
        """Fill the states of all steps, by name, (T, S, m) each, with a layer's parameters ``p``.

        The first state holds what the weights bring, unless the steps themselves have to weigh the
        ``spikes`` below, as compiled ones can; there is a bias for each neuron.
        """
        drive = states[self.states[0]]
        x = drive if self.states[0] == self.back.neuron.input else drive.copy()
        R = p["R"].T if "R" in p else None
        self.fill_states(x, states, self.constants(p, drive.dtype), R, p["b"])

    def backward(
        self, found: Arrays, states: Arrays, p: Arrays, signals: Arrays
    ) -> dict[str, Array]:
        """Fill the adjoints to keep; return the gradients of b and of what the neuron learns.

        ``signals`` are what other layers and the loss hand back: see :meth:`fill_adjoints`.
        """
        some = states[self.states[0]]
        constants = self.constants(p, some.dtype)
        with np.errstate(all="ignore"):
            learned = self.fill_adjoints(states, signals, found, constants, p.get("R"))
        whole = {k: np.broadcast_to(g, some[0].shape) for k, g in learned.items()}
        sums = {k: g.sum(axis=0, dtype=some.dtype) for k, g in whole.items()}
        return {"b": found[self.wanted[0]].sum(axis=(0, 1)), **sums}

    def constants(self, p: Arrays, dtype: Any) -> list[Any]:
        """Return the constants, those that are learned from the parameters."""
        own = self.back.lines.constants.items()
        values = (np.asarray(p.get(name, value), dtype) for name, value in own)
        return [value.reshape(-1) if value.ndim else value[()] for value in values]


def _at_least(a: Any, b: Any) -> Any:
    """Return 1 where a >= b, else 0, as a number of their dtype."""
    return (a >= b).astype(getattr(a if np.ndim(a) else b, "dtype", float))


NUMPY: Mapping[str, Callable[..., Any]] = {
    **{
        name: getattr(np, name)
        for name in ("exp", "log", "tanh", "sqrt", "minimum", "maximum")
    },
    "_at_least": _at_least,
    "_written": np.positive,
}
"""What a source calls, beside the curves of the neuron."""
