"""Any neuron that the package knows, as its table of arrows."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any, Protocol, TypeAlias

import numpy as np

from stbp_edu._support import checks
from stbp_edu.arrows.arrow import Neuron, neuron_from
from stbp_edu.arrows.part_one import from_lif
from stbp_edu.lines.expressions import ONE, evaluate, key, names_in, python
from stbp_edu.lines.forward_lines import ForwardLines
from stbp_edu.lines.text import read_lines
from stbp_edu.neuron import LIF, decay_warning
from stbp_edu.surrogates import Gaussian


class HasNeuron(Protocol):
    """What :func:`stbp_edu.derive` returns."""

    @property
    def neuron(self) -> Neuron:
        """The table of arrows."""


AnyNeuron: TypeAlias = LIF | HasNeuron | Neuron | str
"""A neuron: an LIF, what ``derive`` returns, or forward lines as a text."""


def as_text(neuron: Neuron) -> str:
    """Return the forward lines of a neuron, after a line for each constant.

    >>> print(as_text(as_neuron("u = tau * u + x; tau = 0.5")))
    tau = 0.5
    u = tau * u + x
    """
    lines = neuron.lines
    given = [f"{name} = {value!r}" for name, value in lines.constants.items()]
    return "\n".join([*given, lines.text])


def as_neuron(value: object, name: str = "neuron") -> Neuron:
    """Return the table of arrows of a neuron, however it is given.

    Args:
        value: an :class:`stbp_edu.LIF`, what :func:`stbp_edu.derive` returns, or a text of
            forward lines, which gives its constants itself.
        name: what the error calls it.

    Raises:
        TypeError, ValueError: if it is something else, or a line is not understood.

    >>> [as_neuron(one).order for one in (LIF(), "tau = 0.9; u = tau * u + x")]
    [('u', 'o'), ('u',)]
    """
    if isinstance(value, LIF):
        return from_lif(value)
    if isinstance(value, str):
        lines = read_lines(value, {})
        warn_of_no_decay(lines)
        return neuron_from(lines, Gaussian())
    found: Any = getattr(value, "neuron", value)
    if not isinstance(found, Neuron):
        raise TypeError(
            f"{name} must be an LIF, what stbp_edu.derive returns, or a text of forward lines, "
            f"got {checks.brief(value)}; pass for example 'tau = 0.5; u = tau * u + x'"
        )
    return found


def warn_of_no_decay(
    lines: ForwardLines, learned: Mapping[str, Any] | None = None
) -> None:
    """Warn once where a state keeps all of itself or more, from step to step without a spike.

    A line such as ``u = u + x`` says so itself, and is not warned of. Values in ``learned`` replace
    those that the constants had at first; of them a share below 0 is warned of, too, always in the
    same words, so that Python shows them once.
    """
    values = {**lines.constants, **(learned or {})}
    known = {name: np.asarray(value, float) for name, value in values.items()}
    for slope in lines.slopes:
        if slope.source != slope.target or slope.step == 0:
            continue
        kept = lines.silent(slope.factor)
        if key(kept) == key(ONE) or lines.reads_states(kept):
            continue
        with np.errstate(all="ignore"):
            shares = evaluate(kept, known)
        share = float(np.max(shares))
        moved = [name for name in learned or () if name in names_in(kept)]
        if moved and (share >= 1 or np.min(shares) < 0):
            warnings.warn(
                f"{python(kept)} is the share of {slope.target} kept per step, and what is learned "
                f"has led it out of 0 to 1; bound it: learn={{{moved[0]!r}: (0, 1)}}",
                stacklevel=4,
            )
            return
        if share >= 1:
            said = f"{python(kept)} = {share:g}"
            warnings.warn(decay_warning(said, slope.target), stacklevel=4)
            return
