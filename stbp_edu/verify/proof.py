"""The proof of a neuron: each arrow, each gradient and each rule against what knows nothing of it.

Networks are drawn in which every layer fires in some steps and stays silent in others. Where they
go, each arrow is nudged at its tail; their gradients are measured by finite differences on the
smooth twin, where H stands in for the spike, and computed by automatic differentiation of the
forward lines; and the adjoints under each rule are summed path by path.

A line is nudged by an imaginary number: f(a + ir) = f(a) + ir f'(a) up to r², so its slope is the
imaginary part over r. No two numbers are subtracted, and r may be so small that neither rounding
nor a corner of f shows. The spike's curve and whole runs are nudged by real numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from stbp_edu._support import checks
from stbp_edu.arrows import RULES, Arrow, Neuron
from stbp_edu.arrows.arrow import neuron_from
from stbp_edu.arrows.table import network
from stbp_edu.lines.expressions import (
    args_of,
    evaluate,
    names_in,
    nodes_in,
    op_of,
    written_out,
)
from stbp_edu.lines.forward_lines import ForwardLines
from stbp_edu.networks.arguments import as_neuron
from stbp_edu.verify.comparison import DIFFERENCES
from stbp_edu.verify.finite_difference import SMALL, slopes, twin
from stbp_edu.verify.formulas import linear
from stbp_edu.verify.proved_programs import (
    AUTODIFF,
    PATHS,
    Row,
    by_arrows,
    by_autodiff,
    every_rule,
    judge,
    judged_forms,
    short_run,
)
from stbp_edu.verify.runs import Run, Values, drawn, recursion, updated

NUDGED = DIFFERENCES.limit  # as that of the five cases
COPIES = 6  # of the points of a run, each moved away
TINY = 1e-30  # the imaginary nudge


@dataclass(frozen=True, repr=False)
class Proof:
    """What was compared, and the arrows that are wrong or missing.

    Attributes:
        rows: the comparisons.
        faults: a sentence for each arrow that is wrong, missing, or too many.
        notes: what the drawn networks do, and what is not judged.
    """

    rows: Sequence[Row]
    faults: Sequence[str]
    notes: Sequence[str]

    @property
    def holds(self) -> bool:
        """Whether everything was tested and agrees."""
        return not self.faults and all(row.agrees for row in self.rows)

    def __str__(self) -> str:
        """Return the table, and below it what is wrong, and the notes."""
        wide = max(len(row.what) for row in self.rows)
        table = [
            f"{row.what:{wide}}  {row.against:25}  {row.verdict}" for row in self.rows
        ]
        return "\n".join([*table, *self.faults, *self.notes])

    __repr__ = __str__


def prove(neuron: Any, *, seed: int = 0, torch: bool = False) -> Proof:
    """Return the proof of a neuron: of its arrows, derived or put in their place, and its programs.

    Every constant is taken to be learned, so each is proved, and the arrows hold for other values
    of them, too. The programs are judged in every form that runs: as they are shown, on arrays of
    NumPy, in loops, compiled where Numba is installed, and in PyTorch where that is asked for.
    It takes some seconds, most of them to sum paths and to compile.

    Args:
        neuron: an :class:`stbp_edu.LIF`, what ``derive`` returned, or forward lines as a text.
        seed: of the networks that are drawn.
        torch: whether PyTorch's layers are judged, too; import ``stbp_edu.torch`` first.

    Raises:
        ImportError: if autograd is not installed, or ``stbp_edu.torch`` not imported where PyTorch
            is asked for.
        ValueError: if no drawn run stays finite.

    >>> from stbp_edu import LIF
    >>> from stbp_edu.arrows import hard_reset
    >>> prove(hard_reset(LIF())).holds
    True
    """
    neuron = as_neuron(neuron)
    checks.count("seed", seed, at_least=0)
    checks.instance("torch", torch, bool)
    with np.errstate(all="ignore"):  # what is not finite is seen in the numbers
        return _proved(*_all_learned(neuron), seed, torch)


def _all_learned(neuron: Neuron) -> tuple[Neuron, list[str]]:
    """Return a neuron with every constant of its lines learned, and what is not judged."""
    lines = neuron.lines
    # those of an exponent are fixed: their bases must be > 0
    fixed = _in_exponents(lines) & (lines.constants.keys() - neuron.learned.keys())
    learn = [name for name in lines.constants if name not in fixed]
    own = neuron_from(lines, neuron.surrogate, learn)
    notes = [
        f"not judged: how {name} is learned, since it is an exponent"
        for name in sorted(fixed)
    ]
    return replace(neuron, learned={**own.learned, **neuron.learned}), notes


def _in_exponents(lines: ForwardLines) -> set[str]:
    """Return the names that some exponent reads."""
    return {
        name
        for line in lines.lines.values()
        for node in nodes_in(written_out(line))
        if op_of(node) == "**"
        for name in names_in(args_of(node)[1])
    }


def _proved(neuron: Neuron, notes: list[str], seed: int, torch: bool) -> Proof:
    """Return the proof of a neuron whose constants are learned."""
    run = drawn(network("2-2R-2", neuron), 5, seed)
    off, idle, faults = nudged_arrows(run)
    rows = [Row("each arrow", "nudging its tail", off, NUDGED, idle)]
    if run.thrown_away:
        notes = [f"not judged: {run.finite}", *notes]
    if neuron.lines.spike:
        notes = [str(run), *notes]
    if faults:
        return Proof(rows, faults, notes)
    states = [*dict.fromkeys([neuron.output, neuron.lines.potential])]
    for state, measured in zip(states, nudged_parameters(run, states), strict=True):
        what = f"gradients of a loss on {state}"
        rows.append(Row(what, "finite differences", measured, NUDGED, run.lacks))
        computed = by_autodiff(run, state)
        rows.append(judge(what, AUTODIFF, by_arrows, [computed], run.lacks))
    short = short_run([neuron, neuron], seed)
    for expected in every_rule([(short, neuron.output)]):
        what = f"rule {expected.rule.name}"
        rows.append(judge(what, PATHS, by_arrows, [expected], short.lacks))
    rows += judged_forms(neuron, seed, torch)
    return Proof(rows, faults, notes)


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
    """Return how near factors and measured slopes are, what is untested, and which are wrong."""
    at = _points(run)
    worst = 0.0
    faults = []
    idle = []
    for entry in _entries(run.neuron, at):
        off, slope = _nudged(run.neuron, entry)
        # a comparison with a NaN is False
        tested = (off >= 0) & (np.abs(entry.factor) > SMALL * NUDGED)
        if (off > NUDGED).any():
            faults.append(_fault(entry, off, slope))
        elif entry.what.startswith("arrow") and not tested.any():
            idle.append(f"no drawn run in which {entry.what} has a factor other than 0")
        worst = max(worst, float(np.nan_to_num(off).max()))
    return worst, "; ".join(idle), faults


def _points(run: Run) -> Values:
    """Return all that updates read in the runs, moved by steps of many sizes in both directions.

    So none lies at a corner, and no clip lies beyond all of them. Spikes and what is learned stay
    where they are.
    """
    every = [trace[n] for trace, n in product(run.traces, range(1, run.net.N + 1))]
    rng = np.random.default_rng(0)
    neuron = run.neuron
    stay = {neuron.lines.spike, *neuron.learned}
    last = [f"{state}_last" for state in neuron.lines.lines]
    found = {}
    for name in (*neuron.order, *last, "x", *neuron.learned):
        values = np.concatenate([at[name].ravel() for at in every])
        signs = rng.choice([-1, 1], (COPIES, len(values)))
        distances = signs * 10 ** rng.uniform(-3, 1.5, signs.shape)
        distances[1::2] *= np.abs(values).mean() or 1
        if name.removesuffix("_last") in stay:
            distances[:] = 0
        found[name] = (values + distances).ravel()
    return found


def _nudged(neuron: Neuron, entry: Entry) -> tuple[Any, Any]:
    """Return how far a factor is from the slope, relatively, and the slope; NaN where it has none.

    A factor that is not finite is none; where a run meets it, its gradients are not finite.
    """
    value = updated(neuron, entry.target, entry.at)
    nudge = {entry.place: entry.at[entry.place] + TINY * 1j}
    line = neuron.lines.update(entry.target)
    moved = evaluate(line, {**neuron.lines.constants, **entry.at, **nudge})
    slope = np.where(np.isfinite(value), np.imag(moved) / TINY, np.nan)
    if entry.target == neuron.lines.spike:
        curve = lambda amount: slope * neuron.smooth(value + amount)  # noqa: E731
        return _measured(entry.factor, curve)
    scale = np.fmax(np.fmax(np.abs(slope), np.abs(entry.factor)), SMALL)
    return np.abs(entry.factor - slope) / scale, slope


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


def _measured(expected: Any, value: Callable[[float], Any]) -> tuple[Any, Any]:
    """Return how far slopes are from measured ones, relatively, and the measured ones.

    Where a corner is near, steps are ever smaller; where no two of them agree, it is a NaN.
    """
    nearest = np.full(np.shape(expected), np.inf)
    sure = np.False_
    before = np.nan
    for slope, size in slopes(value):
        scale = np.fmax(size, np.abs(expected))
        nearest = np.fmin(nearest, np.abs(expected - slope) / scale)
        sure = sure | (np.abs(slope - before) <= NUDGED * scale)
        near = nearest <= NUDGED
        if near.all():
            break
        before = slope
    return np.where(sure | near, nearest, np.nan), slope


def _entries(neuron: Neuron, at: Values) -> Iterator[Entry]:
    """Yield each way into a state.

    A factor that forgets the spike is that of a step before which no neuron has spiked.
    """
    nothing = np.zeros_like(at["x"])
    ways = {(neuron.input, "x"): (f"input into {neuron.input}", nothing + 1)}
    forgetful = []
    for arrow in (*neuron.enters, *neuron.arrows):
        what = f"arrow {arrow.kind!r} from {arrow.source} to {arrow.target}"
        if arrow.source in neuron.learned:
            what = f"{arrow.source} into {arrow.target}"
        way = arrow.target, arrow.source + "_last" * arrow.step
        _, beside = ways.get(way, ("", nothing))
        ways[way] = what, beside + _factor(arrow, neuron, at)
        if arrow.kind == "carry":
            silent = {**at, f"{neuron.lines.spike}_last": nothing}
            leak = _factor(arrow.under(("carry",)), neuron, silent)
            forgetful.append(Entry(f"{what} without the spike", *way, leak, silent))
    for target, place in product(neuron.order, at):
        if place != target:
            what, factor = ways.get((target, place), ("", nothing))
            yield Entry(what, target, place, factor, at)
    yield from forgetful


def _factor(arrow: Arrow, neuron: Neuron, at: Values) -> Any:
    """Return a factor from the states at its tail and at the step next to it."""
    states = dict(at)
    for name in neuron.order if arrow.step else ():
        states |= {f"{name}_next": at[name], name: at.get(f"{name}_last")}
    return neuron.value(arrow, states, at)


def nudged_parameters(run: Run, states: list[str]) -> Any:
    """Return how far gradients of losses on states are from finite differences on the twin."""
    exact = RULES["exact"]
    found = [recursion(run.local(state, twin=True), exact) for state in states]
    rng = np.random.default_rng(0)

    def losses(n: int, name: str, way: Any, amount: float) -> Any:
        """Return the losses Σ weight · state where a parameter moved along a way."""
        outputs = twin(run.net, run.params, run.inputs, n, name, amount * way)
        return np.array(
            [linear(run.weight, [now[state] for now in outputs]) for state in states]
        )

    worst = [np.zeros(len(states))]
    for n in range(1, run.net.N + 1):
        for name, array in run.params[n].items():
            way = rng.normal(size=np.shape(array))
            expected = [(gradients[n][name] * way).sum() for gradients in found]
            off, _ = _measured(np.array(expected), partial(losses, n, name, way))
            worst.append(off)
    return np.max(worst, axis=0)
