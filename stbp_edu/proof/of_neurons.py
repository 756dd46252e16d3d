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
from typing import Any

import numpy as np

from stbp_edu._support import checks
from stbp_edu.arrows import RULES, Neuron
from stbp_edu.arrows.adjoints import gradients, lambdas
from stbp_edu.arrows.any_neuron import as_neuron
from stbp_edu.arrows.arrow import neuron_from
from stbp_edu.arrows.table import reading_output
from stbp_edu.lines.expressions import args_of, names_in, nodes_in, op_of, written_out
from stbp_edu.lines.forward_lines import ForwardLines
from stbp_edu.proof.drawn_runs import drawn
from stbp_edu.proof.nudges import NUDGED, nudged_arrows, nudged_parameters
from stbp_edu.proof.of_programs import (
    AUTODIFF,
    COMPUTED,
    PATHS,
    Row,
    apart,
    by_paths,
    judged_compiled,
    judged_forms,
    short_run,
    sizes_of,
)
from stbp_edu.proof.run import Run
from stbp_edu.proof.run_autodiff import by_autodiff


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
        table = []
        for row in self.rows:
            what = f"{row.what:{wide}}"
            table.append(f"{what}  {row.against:25}  {row.verdict}")
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
            every, notes = _all_learned(neuron)
            return _proved(every, notes, seed, torch, say)
    except KeyError as error:
        raise ValueError(
            f"neuron reads {error}, which is none of its states and constants; take it out of the "
            "factor"
        ) from None


def _all_learned(neuron: Neuron) -> tuple[Neuron, list[str]]:
    """Return a neuron with every constant of its lines learned, and what is not judged."""
    lines = neuron.lines
    own_already = neuron.learned.keys()
    # those of an exponent are fixed: their bases must be > 0
    to_learn = lines.constants.keys() - own_already
    fixed = sorted(_in_exponents(lines) & to_learn)
    learn = [name for name in lines.constants if name not in fixed]
    own = neuron_from(lines, neuron.surrogate, learn)
    as_in_course = neuron_from(lines, neuron.surrogate, learn, h_of_u=True)
    odd = _letters(neuron) - _letters(own) - _letters(as_in_course)
    arrows = sorted({arrow for arrow, *_ in odd})
    unjudged = [f"the letters of {arrow}" for arrow in arrows]
    unjudged += [f"how {name} is learned, since it is an exponent" for name in fixed]
    notes = [f"not judged: {what}" for what in unjudged]
    return replace(neuron, learned={**own.learned, **neuron.learned}), notes


def _in_exponents(lines: ForwardLines) -> set[str]:
    """Return the names that some exponent reads."""
    found = set()
    for line in lines.lines.values():
        for node in nodes_in(written_out(line)):
            if op_of(node) == "**":
                _, exponent = args_of(node)
                found |= {*names_in(exponent)}
    return found


def _letters(neuron: Neuron) -> set[tuple[str, ...]]:
    """Return the letters of a table, by arrow and by what is learned."""
    found: set[tuple[str, ...]] = set()
    for enter in neuron.enters:
        found.add((enter.source, enter.target, enter.letters))
    for arrow in neuron.arrows:
        found.add((arrow.kind, arrow.letters, arrow.leak_letters))
    return found


def _proved(
    neuron: Neuron, notes: list[str], seed: int, torch: bool, say: Say
) -> Proof:
    """Return the proof of a neuron whose constants are learned."""
    say("proof, part 1 of 5: nudging each arrow at its tail")
    run = drawn(reading_output("2-2R-2", neuron), 5, seed)
    row, faults = nudged_arrows(neuron, run.points)
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
    for state, measured in zip(states, nudged_parameters(run, states), strict=True):
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
            lam = lambdas(local, rule)
            found = gradients(local, lam, rule.start)
            expected, sizes = by_paths(local, rule)
            off = apart(found, expected, sizes)
            yield Row(f"rule {name}", PATHS, off, COMPUTED, run.lacks)


def _from_autodiff(run: Run, state: str, found: Any) -> float:
    """Return how far gradients of a loss on a state are from those of automatic differentiation."""
    expected = by_autodiff(run, state)
    return apart(found, expected, sizes_of(run.local(state)))
