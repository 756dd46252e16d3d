"""Slopes that are measured: each arrow nudged at its tail, each parameter along a drawn way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from stbp_edu.arrows import Neuron, forward
from stbp_edu.arrows.arrow import like
from stbp_edu.proof.of_programs import SMALL, Row
from stbp_edu.proof.run import COPIES, Run, Values, summed_sizes, updated
from stbp_edu.verify.comparison import DIFFERENCES
from stbp_edu.verify.finite_difference import MOVES, STEP_SIZES, central

NUDGED = DIFFERENCES.limit  # as that of stbp_edu.verify
Place = tuple[str, str]
"""Where an update reads a number, and its name: see ``Values``."""


class Entry(NamedTuple):
    """A way into a state.

    Attributes:
        what: its name; none where there is no arrow.
        target: the state.
        place: where the state's update reads what is nudged.
        factor: what is to be the slope.
        at: the values that the update reads.
    """

    what: str
    target: str
    place: Place
    factor: Any
    at: Values


def nudged_arrows(neuron: Neuron, at: Values) -> tuple[Row, list[str]]:
    """Return how near factors and measured slopes are, and what is wrong with which arrow.

    Points far from the runs count where the runs show nothing wrong and a slope can be measured.
    """
    worst = 0.0
    faults = []
    idle = []
    runs = len(at["input"]["x"]) // (1 + COPIES)
    for entry in _entries(neuron, at):
        off, slope = _nudged(neuron, entry)
        in_runs = off[:runs]
        far = off[runs:]
        right_in_runs = (in_runs <= NUDGED).all()
        far[:] = np.nan_to_num(far, nan=0, posinf=0) * right_in_runs
        tested = in_runs >= 0  # False for a NaN
        not_zero = np.abs(entry.factor[:runs]) > SMALL * NUDGED
        shown = (tested & not_zero).any()
        if (off > NUDGED).any():
            faults.append(_fault(entry, off, slope))
        elif entry.what.startswith("arrow") and not shown:
            idle.append(f"no drawn run in which {entry.what} has a factor other than 0")
        largest = np.nan_to_num(off, posinf=np.inf).max()
        worst = max(worst, float(largest))
    row = Row("each arrow", "nudging its tail", worst, NUDGED, "; ".join(idle))
    return row, faults


def _nudged(neuron: Neuron, entry: Entry) -> tuple[Any, Any]:
    """Return how far a factor is from the slope that is measured, and the slope."""
    where, name = entry.place
    at = entry.at

    def value(amount: float) -> Any:
        """Return the state's update where one number that it reads has moved."""
        values = dict(at[where])
        values[name] = values[name] + amount
        v = updated(neuron, entry.target, {**at, where: values})
        if entry.target == neuron.lines.spike:
            return neuron.smooth(v)
        return v

    sizes = summed_sizes(neuron, entry.target, at)
    return _measured(entry.factor, value, sizes)


def _fault(entry: Entry, off: Any, slope: Any) -> str:
    """Return a sentence about the place where a factor is most wrong."""
    difference = np.abs(entry.factor - slope)
    wrong = np.where(off > NUDGED, difference, -1)
    k = int(np.argmax(wrong))
    where, end = entry.place
    if where == "last":
        end = f"{end} of the last step"
    what = entry.what or f"no arrow from {end} to {entry.target}"
    return (
        f"{what}: its factor is {entry.factor[k]:.4g}, but "
        f"where {end} moves, {entry.target} moves {slope[k]:.4g} times as far"
    )


def _measured(
    expected: Any, value: Callable[[float], Any], sizes: Any = 0.0
) -> tuple[Any, Any]:
    """Return how far slopes are from measured ones, relatively, and the measured ones.

    Where a corner is near, steps are ever smaller; where no two of them agree, it is a NaN. Of
    ``sizes`` that add up to the values rounding leaves a share.
    """
    nearest = np.full(np.shape(expected), np.inf)
    sure = np.False_
    slope = np.nan
    for step in STEP_SIZES:
        before = slope
        ends = [value(k * step) for k in MOVES]
        slope = central(ends, step)
        rounded = np.fmax(np.abs(ends[0]), 4 * sizes)
        scale = np.fmax(np.abs(slope), np.abs(expected))
        scale = np.fmax(scale, SMALL)
        scale = np.fmax(scale, NUDGED * rounded)
        off = np.abs(expected - slope) / scale
        nearest = np.fmin(nearest, off)
        moved = np.abs(slope - before)
        sure = sure | (moved <= NUDGED * scale)
        near = nearest <= NUDGED
        if near.all():
            break
    return np.where(sure | near, nearest, np.nan), slope


def _entries(neuron: Neuron, at: Values) -> Iterator[Entry]:
    """Yield each way into a state.

    A factor that forgets the spike is that of a step before which no neuron has spiked.
    """
    x = at["input"]["x"]
    ways: dict[tuple[str, Place], tuple[str, Any]] = {}
    from_weights = neuron.input, ("input", "x")
    ways[from_weights] = f"input into {neuron.input}", np.ones_like(x)
    for enter in neuron.enters:
        what = f"{enter.source} into {enter.target}"
        learned = enter.target, ("learned", enter.source)
        ways[learned] = what, _factor(enter.factor, 0, at)
    for arrow in neuron.arrows:
        what = f"arrow {arrow.kind!r} from {arrow.source} to {arrow.target}"
        place = ("last" if arrow.step else "now"), arrow.source
        _, beside = ways.get((arrow.target, place), ("", 0.0))
        factor = _factor(arrow.factor, arrow.step, at)
        ways[arrow.target, place] = what, beside + factor
        if arrow.leak and arrow.step:
            silent = _silent(neuron, at)
            leak = _factor(arrow.leak, 1, silent)
            yield Entry(f"{what} without the spike", arrow.target, place, leak, silent)
    nothing = "", np.zeros_like(x)
    for target in at["now"]:
        for where, names in at.items():
            for name in names:
                place = where, name
                if place != ("now", target):
                    what, factor = ways.get((target, place), nothing)
                    yield Entry(what, target, place, factor, at)


def _factor(factor: Any, step: int, at: Values) -> Any:
    """Return a factor from the states at its tail and at the step next to it."""
    if step:
        tail, beside, sign = "last", "now", "+1"
    else:
        tail, beside, sign = "now", "last", "-1"
    states = dict(at[tail])
    for name, state in at[beside].items():
        states[f"{name}{sign}"] = state
    value = factor(states, at["learned"])
    return like(at["input"]["x"], value, "a factor")


def _silent(neuron: Neuron, at: Values) -> Values:
    """Return the values as if no neuron had spiked in the last step."""
    last = dict(at["last"])
    if neuron.lines.spike:
        last[neuron.lines.spike] = np.zeros_like(at["input"]["x"])
    return {**at, "last": last}


def nudged_parameters(run: Run, states: list[str]) -> Any:
    """Return how far gradients of losses on states are from finite differences on the twin."""
    found = [run.gradients(state, twin=True) for state in states]
    rng = np.random.default_rng(0)
    worst = [np.zeros(len(states))]
    for n in range(1, run.net.N + 1):
        for name, array in run.params[n].items():
            way = rng.normal(size=np.shape(array))
            slopes = []
            for gradients in found:
                along = gradients[n][name] * way
                slopes.append(along.sum())
            losses = _losses_along(run, states, n, name, way)
            off, _ = _measured(np.array(slopes), losses)
            worst.append(off)
    return np.max(worst, axis=0)


def _losses_along(
    run: Run, states: list[str], n: int, name: str, way: Any
) -> Callable[[float], Any]:
    """Return the function from an amount to the losses where a parameter moved along a way."""

    def losses(amount: float) -> Any:
        """Return the losses Σ weight · state on the smooth twin."""
        layer = dict(run.params[n])
        layer[name] = layer[name] + amount * way
        moved = [*run.params]
        moved[n] = layer
        trace = forward(run.net, moved, run.inputs, twin=True)
        found = []
        for state in states:
            read = trace[state][-1]
            found.append((run.weight * read).sum())
        return np.array(found)

    return losses
