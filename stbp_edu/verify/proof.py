"""The proof of a neuron: each arrow, each gradient and each rule against what knows nothing of it.

Networks are drawn in which every layer fires in some steps and stays silent in others. Where they
go, each arrow is nudged at its tail; their gradients are measured by finite differences on the
smooth twin, where H stands in for the spike, and computed by automatic differentiation of the
forward lines; and the adjoints under each rule are summed path by path.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from stbp_edu._support import checks
from stbp_edu.arrows import Neuron
from stbp_edu.arrows.arrow import neuron_from
from stbp_edu.arrows.part_one import as_neuron
from stbp_edu.arrows.table import network
from stbp_edu.lines.expressions import args_of, names_in, nodes_in, op_of, written_out
from stbp_edu.lines.forward_lines import ForwardLines
from stbp_edu.verify.drawn_runs import drawn
from stbp_edu.verify.nudges import NUDGED, nudged_arrows, nudged_parameters
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
        return Proof(tuple(rows), tuple(faults), tuple(notes))
    states = [*dict.fromkeys([neuron.output, neuron.lines.potential])]
    for state, measured in zip(states, nudged_parameters(run, states), strict=True):
        what = f"gradients of a loss on {state}"
        rows.append(Row(what, "finite differences", measured, NUDGED, run.lacks))
        computed = [by_autodiff(run, state)]
        rows.append(judge(what, AUTODIFF, by_arrows, computed, run.lacks))
    short = short_run([neuron, neuron], seed)
    for expected in every_rule([(short, neuron.output)]):
        what = f"rule {expected.rule.name}"
        rows.append(judge(what, PATHS, by_arrows, [expected], short.lacks))
    rows += judged_forms(neuron, seed, torch)
    return Proof(tuple(rows), (), tuple(notes))
