"""The proof of a neuron: each arrow, each gradient and each rule against what knows nothing of it.

Networks are drawn in which every layer fires in some steps and stays silent in others. Where they
go, each arrow is nudged at its tail; their gradients are measured by finite differences on the
smooth twin, where H stands in for the spike, and computed by automatic differentiation of the
forward lines; and the adjoints under each rule are summed path by path.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np

from stbp_edu._support import checks
from stbp_edu.arrows import RULES, Neuron, forward
from stbp_edu.arrows.adjoints import gradients, lambdas
from stbp_edu.arrows.any_neuron import as_neuron
from stbp_edu.arrows.lines.expressions import Call, names_in, nodes_in, written_out
from stbp_edu.arrows.models import reading_output
from stbp_edu.arrows.table import like, neuron_from
from stbp_edu.proof.drawn_runs import COPIES, Run, Values, drawn, summed_sizes, updated
from stbp_edu.proof.of_programs import (
    AUTODIFF,
    COMPUTED,
    PATHS,
    SMALL,
    Row,
    apart,
    by_autodiff,
    by_paths,
    judged_compiled,
    judged_forms,
    short_run,
    sizes_of,
)
from stbp_edu.verify.comparison import DIFFERENCES
from stbp_edu.verify.finite_difference import MOVES, STEP_SIZES, central

NUDGED = DIFFERENCES.limit  # as that of stbp_edu.verify


@dataclass(frozen=True, repr=False)
class Proof:
    """What was compared, and the arrows that are wrong or missing.

    Attributes:
        rows: the comparisons.
        faults: a sentence for each arrow that is wrong, missing, or too many.
        notes: what the drawn networks do, and what is not judged.
    """

    rows: tuple[Row, ...]
    faults: tuple[str, ...]
    notes: tuple[str, ...] = ()

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


Say = Callable[[str], object]
"""What is called with a sentence about each part of a proof, before it begins."""


def to_terminal(sentence: str) -> None:
    """Write a sentence to standard error, if that is a terminal."""
    if sys.stderr.isatty():
        print(sentence, file=sys.stderr)


def prove(
    neuron: Any, *, seed: int = 0, torch: bool = False, progress: Say | None = None
) -> Proof:
    """Return the proof of a neuron: of its arrows, derived or put in their place, and its programs.

    Every constant is taken to be learned, so each is proved, and the arrows hold for other values
    of them, too. The programs are judged in every form that runs: as they are shown, on arrays of
    NumPy, in loops, compiled where Numba is installed, and in PyTorch where that is asked for.
    It takes some seconds, most of them to sum paths and to compile.

    Args:
        neuron: an :class:`stbp_edu.LIF`, what ``derive`` returned, or forward lines as a text.
        seed: of the networks that are drawn.
        torch: whether PyTorch's layers are judged, too.
        progress: called with a sentence before each part, such as ``print``; where None, a
            terminal shows them.

    Raises:
        ImportError: if autograd is not installed, or PyTorch where it is asked for.
        ValueError: if no drawn run stays finite, or a factor reads what nothing gives.

    >>> from stbp_edu import LIF
    >>> from stbp_edu.arrows import hard_reset
    >>> prove(hard_reset(LIF())).holds
    True
    """
    if isinstance(neuron, list | tuple):
        raise TypeError(
            f"neuron must be one neuron, got {checks.brief(neuron)}; prove them one at a time"
        )
    neuron = as_neuron(neuron)
    checks.count("seed", seed, at_least=0)
    checks.instance("torch", torch, bool)
    say = to_terminal if progress is None else progress
    if not callable(say) or isinstance(say, type):
        raise TypeError(
            f"progress must be a function, got {checks.brief(progress)}; pass print"
        )
    try:
        with np.errstate(all="ignore"):  # what is not finite is seen in the numbers
            return _proved(*_all_learned(neuron), seed, torch, say)
    except KeyError as error:
        raise ValueError(
            f"neuron reads {error}, which is none of its states and constants; take it out of the "
            "factor"
        ) from None


def _all_learned(neuron: Neuron) -> tuple[Neuron, list[str]]:
    """Return a neuron with every constant of its lines learned, and what is not judged."""
    lines = neuron.lines
    nodes = (
        node for line in lines.lines.values() for node in nodes_in(written_out(line))
    )
    powers = (
        node.args[1] for node in nodes if isinstance(node, Call) and node.op == "**"
    )
    exponents = {name.name for power in powers for name in names_in(power)}
    fixed = exponents & (
        lines.constants.keys() - neuron.learned.keys()
    )  # their bases must be > 0
    learn = [name for name in lines.constants if name not in fixed]
    own = [
        neuron_from(lines, neuron.surrogate, learn, h_of_u=short)
        for short in (False, True)
    ]
    odd = {name for name, *_ in _letters(neuron) - _letters(own[0]) - _letters(own[1])}
    kept = [f"the letters of {name}" for name in sorted(odd)]
    kept += [
        f"how {name} is learned, since it is an exponent" for name in sorted(fixed)
    ]
    notes = [f"not judged: {what}" for what in kept]
    return replace(neuron, learned={**own[0].learned, **neuron.learned}), notes


def _letters(neuron: Neuron) -> set[tuple[str, ...]]:
    """Return the letters of a table, by arrow and by what is learned."""
    learned = {(a.source, a.target, a.letters) for a in neuron.enters}
    return learned | {(a.kind, a.letters, a.leak_letters) for a in neuron.arrows}


def _proved(
    neuron: Neuron, notes: list[str], seed: int, torch: bool, say: Say
) -> Proof:
    """Return the proof of a neuron whose constants are learned."""
    say("proof, part 1 of 5: nudging each arrow at its tail")
    run = drawn(reading_output("2-2R-2", neuron), 5, seed)
    row, faults = _nudged_arrows(neuron, run.points)
    if run.thrown_away:
        notes = [f"not judged: {run.finite}", *notes]
    if neuron.lines.spike:
        notes = [str(run), *notes]
    if faults:
        return Proof((row,), tuple(faults), tuple(notes))
    rows = [row]
    say(
        "proof, part 2 of 5: gradients by finite differences and automatic differentiation"
    )
    states = [*dict.fromkeys([neuron.output, neuron.lines.potential])]
    for state, measured in zip(states, _nudged_parameters(run, states), strict=True):
        what = f"gradients of a loss on {state}"
        rows.append(Row(what, "finite differences", measured, NUDGED, run.lacks))
        computed = _from_autodiff(run, state, run.gradients(state))
        rows.append(Row(what, AUTODIFF, computed, COMPUTED, run.lacks))
    say("proof, part 3 of 5: each rule, path by path")
    rows += _rules(neuron, seed)
    say("proof, part 4 of 5: the programs in every form, under each rule")
    rows += judged_forms(neuron, seed, torch)
    say("proof, part 5 of 5: the program compiled")
    rows += judged_compiled(neuron, seed)
    return Proof(tuple(rows), (), tuple(notes))


def _rules(neuron: Neuron, seed: int) -> Iterator[Row]:
    """Yield a row for each rule: its adjoints against the sums of the paths that it keeps."""
    run = short_run([neuron, neuron], seed)
    local = run.local(neuron.output)
    for name, rule in RULES.items():
        if rule.keeps(local.net):
            found = gradients(local, lambdas(local, rule), rule.start)
            off = apart(found, *by_paths(local, rule))
            yield Row(f"rule {name}", PATHS, off, COMPUTED, run.lacks)


def _measured(
    expected: Any, value: Callable[[float], Any], sizes: Any = 0.0
) -> tuple[Any, Any]:
    """Return how far slopes are from measured ones, relatively, and the measured ones.

    Where a corner is near, steps are ever smaller; where no two of them agree, it is a NaN. Of
    ``sizes`` that add up to the values rounding leaves a share.
    """
    nearest, sure, slope = np.full(np.shape(expected), np.inf), np.False_, np.nan
    for step in STEP_SIZES:
        ends, before = [value(k * step) for k in MOVES], slope
        slope = central(ends, step)
        scale = np.fmax(np.fmax(np.abs(slope), np.abs(expected)), SMALL)
        rounded = np.fmax(np.abs(ends[0]), 4 * sizes)
        scale = np.fmax(scale, NUDGED * rounded)
        nearest = np.fmin(nearest, np.abs(expected - slope) / scale)
        sure = sure | (np.abs(slope - before) <= NUDGED * scale)
        if (nearest <= NUDGED).all():
            break
    return np.where(sure | (nearest <= NUDGED), nearest, np.nan), slope


def _nudged_arrows(neuron: Neuron, at: Values) -> tuple[Row, list[str]]:
    """Return how near factors and measured slopes are, and what is wrong with which arrow.

    Points far from the runs count where the runs show nothing wrong and a slope can be measured.
    """
    worst, faults, idle = [0.0], [], []
    runs = len(at["input"]["x"]) // (1 + COPIES)
    for what, target, place, factor, there in _entries(neuron, at):

        def value(
            amount: float, to: str = target, at: Values = there, place: Any = place
        ) -> Any:
            """Return a state's update where one number that it reads has moved."""
            of = at[place[0]]
            v = updated(
                neuron, to, {**at, place[0]: {**of, place[1]: of[place[1]] + amount}}
            )
            return neuron.smooth(v) if to == neuron.lines.spike else v

        sizes = summed_sizes(neuron, target, there)
        off, slope = _measured(factor, value, sizes)
        met = (off >= 0) & (np.arange(len(off)) < runs)
        off[runs:] = (
            np.nan_to_num(off[runs:], nan=0, posinf=0) * (off[:runs] <= NUDGED).all()
        )
        wrong = off > NUDGED
        if wrong.any():
            k = int(np.argmax(np.where(wrong, np.abs(factor - slope), -1)))
            end = f"{place[1]} of the last step" if place[0] == "last" else place[1]
            faults.append(
                f"{what or f'no arrow from {end} to {target}'}: its factor is {factor[k]:.4g}, but "
                f"where {end} moves, {target} moves {slope[k]:.4g} times as far"
            )
        elif (
            what.startswith("arrow")
            and not (met & (np.abs(factor) > SMALL * NUDGED)).any()
        ):
            idle.append(f"no drawn run in which {what} has a factor other than 0")
        worst.append(float(np.nan_to_num(off, posinf=np.inf).max()))
    return Row(
        "each arrow", "nudging its tail", max(worst), NUDGED, "; ".join(idle)
    ), faults


def _entries(neuron: Neuron, at: Values) -> Iterator[tuple[str, str, Any, Any, Values]]:
    """Yield each way into a state: its name, or none, its target, place and factor, and where.

    A place is where an update reads a number, and its name: see ``Values``.
    A factor that forgets the spike is that of a step before which no neuron has spiked.
    """
    x = at["input"]["x"]

    def value(factor: Any, step: int, at: Values = at) -> Any:
        """Return a factor from the states at its tail and at the step next to it."""
        tail, beside, sign = ("last", "now", "+1") if step else ("now", "last", "-1")
        states = {**at[tail], **{s + sign: v for s, v in at[beside].items()}}
        return like(x, factor(states, at["learned"]), "a factor")

    found = {
        (neuron.input, ("input", "x")): (f"input into {neuron.input}", np.ones_like(x))
    }
    for a in neuron.enters:
        what = f"{a.source} into {a.target}"
        found[a.target, ("learned", a.source)] = what, value(a.factor, 0)
    spikes = {neuron.lines.spike: np.zeros_like(x)} if neuron.lines.spike else {}
    silent = {**at, "last": {**at["last"], **spikes}}
    for arrow in neuron.arrows:
        what = f"arrow {arrow.kind!r} from {arrow.source} to {arrow.target}"
        place = ("last" if arrow.step else "now"), arrow.source
        beside = (
            found[arrow.target, place][1] if (arrow.target, place) in found else 0.0
        )
        found[arrow.target, place] = what, beside + value(arrow.factor, arrow.step)
        if arrow.leak and arrow.step:
            leak = value(arrow.leak, 1, silent)
            yield f"{what} without the spike", arrow.target, place, leak, silent
    places = [(where, name) for where in at for name in at[where]]
    for target, place in product(at["now"], places):
        if place != ("now", target):
            what, factor = found.get((target, place), ("", np.zeros_like(x)))
            yield what, target, place, factor, at


def _nudged_parameters(run: Run, states: list[str]) -> Any:
    """Return how far gradients of losses on states are from finite differences on the twin."""
    found = [run.gradients(state, twin=True) for state in states]
    rng, worst = np.random.default_rng(0), [np.zeros(len(states))]
    for n, name in [
        (n, name) for n, layer in enumerate(found[0]) for name in layer or ()
    ]:
        way = rng.normal(size=np.shape(run.params[n][name]))

        def values(amount: float, n: int = n, name: str = name, way: Any = way) -> Any:
            """Return the losses where one parameter has moved along a drawn way."""
            moved = [*run.params]
            moved[n] = {**moved[n], name: moved[n][name] + amount * way}
            trace = forward(run.net, moved, run.inputs, twin=True)
            return np.array([(run.weight * trace[state][-1]).sum() for state in states])

        slopes = np.array([(one[n][name] * way).sum() for one in found])
        worst.append(_measured(slopes, values)[0])
    return np.max(worst, axis=0)


def _from_autodiff(run: Run, state: str, found: Any) -> float:
    """Return how far gradients of a loss on a state are from those of automatic differentiation."""
    return apart(found, by_autodiff(run, state), sizes_of(run.local(state)))
