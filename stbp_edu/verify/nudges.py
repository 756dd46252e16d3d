"""Slopes that are measured: each arrow nudged at its tail, each parameter along a drawn way."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from stbp_edu.arrows import Neuron
from stbp_edu.arrows.arrow import like
from stbp_edu.lines.derivatives import SLOPES
from stbp_edu.lines.expressions import args_of, evaluate, op_of, written_out
from stbp_edu.lines.operations import OPERATIONS
from stbp_edu.verify.comparison import DIFFERENCES
from stbp_edu.verify.drawn_runs import Run, Values, updated
from stbp_edu.verify.finite_difference import MOVES, STEP_SIZES, central

NUDGED = DIFFERENCES.limit  # as that of the five cases
SMALL = 1e-3  # differences are relative to what adds up, or to this where it is smaller
COPIES = 4  # of the points of a run, each moved far away


class Entry(NamedTuple):
    """A way into a state.

    Attributes:
        what: its name; none where there is no arrow.
        target: the state.
        place: what the state's update reads, and what is nudged.
        factor: what is to be the slope.
        at: the values that the update reads.
    """

    what: str
    target: str
    place: str
    factor: Any
    at: Values


def nudged_arrows(run: Run) -> tuple[float, str, list[str]]:
    """Return how near factors and measured slopes are, what is untested, and which are wrong.

    Points far from the runs count where the runs show nothing wrong and a slope can be measured.
    """
    neuron = run.neuron
    at = _points(run)
    worst = 0.0
    faults = []
    idle = []
    in_runs = slice(len(at["x"]) // (1 + COPIES))
    for entry in _entries(neuron, at):
        sizes = _summed_sizes(neuron, entry.target, entry.at)
        off, slope = _measured(entry.factor, _moved_update(neuron, entry), sizes)
        far = off[in_runs.stop :]
        far[:] = np.nan_to_num(far, nan=0, posinf=0) * (off[in_runs] <= NUDGED).all()
        tested = off[in_runs] >= 0  # False for a NaN
        not_zero = np.abs(entry.factor[in_runs]) > SMALL * NUDGED
        if (off > NUDGED).any():
            faults.append(_fault(entry, off, slope))
        elif entry.what.startswith("arrow") and not (tested & not_zero).any():
            idle.append(f"no drawn run in which {entry.what} has a factor other than 0")
        worst = max(worst, float(np.nan_to_num(off, posinf=np.inf).max()))
    return worst, "; ".join(idle), faults


def _points(run: Run) -> Values:
    """Return all that updates read in the runs, moved a little, away from corners; then moved far.

    Far are steps of many sizes in both directions, so no clip lies beyond all points.
    Spikes and what is learned stay where they are.
    """
    layers = range(1, run.net.N + 1)
    every = [run.read(trace, n) for trace, n in product(run.traces, layers)]
    near = np.random.default_rng(0)
    far = np.random.default_rng(1)
    stay = {run.neuron.lines.spike, *run.neuron.learned}
    found = {}
    for name in every[0]:
        parts = [np.broadcast_to(at[name], at["x"].shape).ravel() for at in every]
        values = np.concatenate(parts)
        sizes = np.abs(values)
        drawn = near.normal(size=len(values))
        moved = values + drawn * (0.01 + 0.003 * sizes)
        signs = far.choice([-1, 1], (COPIES, len(values)))
        distances = signs * 10 ** far.uniform(-1, 1.5, signs.shape)
        distances[1::2] *= sizes.mean()
        if name.removesuffix("_last") in stay:
            distances[:] = 0
        found[name] = np.concatenate([moved, *(moved + distances)])
    return found


def _moved_update(neuron: Neuron, entry: Entry) -> Callable[[float], Any]:
    """Return the function from an amount to a state's update where what it reads has moved."""

    def value(amount: float) -> Any:
        moved = {**entry.at, entry.place: entry.at[entry.place] + amount}
        v = updated(neuron, entry.target, moved)
        if entry.target == neuron.lines.spike:
            return neuron.smooth(v)
        return v

    return value


def _summed_sizes(neuron: Neuron, target: str, at: Values) -> Any:
    """Return the sizes of what adds up in a state's update: rounding errs by a share of them."""
    values = {**neuron.lines.constants, **at}

    def sized(tree: ast.expr) -> tuple[Any, Any]:
        """Return the value of an expression, and the sizes of what adds up to it."""
        op = str(op_of(tree))
        if not op:
            own = evaluate(tree, values)
            return own, np.abs(own)
        found = [sized(arg) for arg in args_of(tree)]
        args = dict(zip("ab", [inner for inner, _ in found], strict=False))
        own = OPERATIONS[op].value(np, *args.values())
        total = np.abs(own)
        for by, (_, size) in zip(SLOPES[op], found, strict=True):
            total = total + np.nan_to_num(np.abs(evaluate(by, args)) * size)
        return own, total

    _, sizes = sized(written_out(neuron.lines.update(target)))
    return sizes


def _fault(entry: Entry, off: Any, slope: Any) -> str:
    """Return a sentence about the place where a factor is most wrong."""
    wrong = np.where(off > NUDGED, np.abs(entry.factor - slope), -1)
    k = int(np.argmax(wrong))
    end = entry.place.removesuffix("_last")
    if end != entry.place:
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
        scale = np.fmax(np.fmax(scale, SMALL), NUDGED * rounded)
        nearest = np.fmin(nearest, np.abs(expected - slope) / scale)
        sure = sure | (np.abs(slope - before) <= NUDGED * scale)
        near = nearest <= NUDGED
        if near.all():
            break
    return np.where(sure | near, nearest, np.nan), slope


def _entries(neuron: Neuron, at: Values) -> Iterator[Entry]:
    """Yield each way into a state.

    A factor that forgets the spike is that of a step before which no neuron has spiked.
    """
    nothing = np.zeros_like(at["x"])
    ways = {(neuron.input, "x"): (f"input into {neuron.input}", np.ones_like(at["x"]))}
    for enter in neuron.enters:
        what = f"{enter.source} into {enter.target}"
        factor = _factor(enter.factor, 0, neuron, at)
        ways[enter.target, enter.source] = what, factor
    for arrow in neuron.arrows:
        what = f"arrow {arrow.kind!r} from {arrow.source} to {arrow.target}"
        place = arrow.source + ("_last" if arrow.step else "")
        _, beside = ways.get((arrow.target, place), ("", 0.0))
        factor = beside + _factor(arrow.factor, arrow.step, neuron, at)
        ways[arrow.target, place] = what, factor
        if arrow.leak and arrow.step:
            silent = {**at, f"{neuron.lines.spike}_last": nothing}
            leak = _factor(arrow.leak, 1, neuron, silent)
            yield Entry(f"{what} without the spike", arrow.target, place, leak, silent)
    for target in neuron.order:
        for place in at:
            if place != target:
                what, factor = ways.get((target, place), ("", nothing))
                yield Entry(what, target, place, factor, at)


def _factor(factor: Any, step: int, neuron: Neuron, at: Values) -> Any:
    """Return a factor from the states at its tail and at the step next to it."""
    states: dict[str, Any] = {}
    for name in neuron.order:
        now = at[name]
        last = at.get(f"{name}_last")
        states |= (
            {name: last, f"{name}+1": now} if step else {name: now, f"{name}-1": last}
        )
    learned = {name: at[name] for name in neuron.learned}
    return like(at["x"], factor(states, learned), "a factor")


def nudged_parameters(run: Run, states: list[str]) -> Any:
    """Return how far gradients of losses on states are from finite differences on the twin."""
    found = [run.gradients(state, twin=True) for state in states]
    rng = np.random.default_rng(0)
    worst = [np.zeros(len(states))]
    for n in range(1, run.net.N + 1):
        for name, array in run.params[n].items():
            way = rng.normal(size=np.shape(array))
            slopes = [(gradients[n][name] * way).sum() for gradients in found]
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
        moved = [*run.params]
        moved[n] = {**run.params[n], name: run.params[n][name] + amount * way}
        last = run.states(run.inputs, twin=True, params=moved)[-1]
        return np.array([(run.weight * last[state]).sum() for state in states])

    return losses
