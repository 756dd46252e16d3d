"""What a loss is: its value, and its direct term, the derivative by the states that it reads."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, Protocol

import numpy as np

from stbp_edu._support import checks
from stbp_edu._support.checks import Array
from stbp_edu.forward_pass import Trace


class Direct(NamedTuple):
    """The direct term: how the loss moves with the output layer, no path through time counted.

    Attributes:
        o: ∂L/∂o^{t,N}, shape (T, S, n[N]); None where the loss reads no spike.
        u: ∂L/∂u^{t,N}, of the same shape; None where the loss reads no potential.
    """

    o: Array | None
    u: Array | None = None


class LossFunction(Protocol):
    """What the passes ask of a loss. Yours needs these two methods and nothing else.

    Its targets are an array of numbers of any shape, such as labels (S,) or spike trains
    (T, S, n[N]); floats come in the dtype of the trace. Where they should have the shape (S, n[N]),
    :func:`check_targets` says what is wrong with them.
    """

    def value(self, trace: Trace, targets: Any) -> float:
        """Return L."""

    def direct(self, trace: Trace, targets: Any) -> Direct:
        """Return the direct term."""


@dataclass(frozen=True)
class Built(ABC):
    """A loss of this package: checks first, then its two formulas.

    Attributes:
        reads: the states of the output that it reads: spikes, ``"O"``, or potentials, ``"U"``.
    """

    reads: ClassVar[str] = "O"

    def value(self, trace: Trace, targets: Array) -> float:
        """Return L, of outputs (T, S, n[N]) and targets (S, n[N])."""
        return float(self.formula(trace, self.check(trace, targets)))

    def direct(self, trace: Trace, targets: Array) -> Direct:
        """Return the direct term; its arrays have shape (T, S, n[N]) and may be read-only."""
        return self.terms(trace, self.check(trace, targets))

    def scores(self, trace: Trace) -> Array:
        """Return the scores (S, n[N]) to compare with the targets: the largest is the answer."""
        return np.asarray(trace.O[-1].mean(axis=0))

    def check(self, trace: Trace, targets: Array) -> Array:
        """Return the targets in the dtype of the trace, if the loss can read both.

        Raises:
            TypeError, ValueError: if it cannot.
        """
        states = getattr(checks.instance("trace", trace, Trace), self.reads)
        if not isinstance(states, (list, tuple)) or not states:
            raise ValueError(
                f"trace.{self.reads} must list a layer's states, got {checks.brief(states)}; "
                "pass the trace that forward made"
            )
        return check_targets(targets, states[-1], f"trace.{self.reads}[N]")

    @abstractmethod
    def formula(self, trace: Trace, targets: Array) -> float:
        """Return L, unchecked."""

    @abstractmethod
    def terms(self, trace: Trace, targets: Array) -> Direct:
        """Return the direct term, unchecked."""


def check_targets(targets: object, outputs: Array, name: str = "trace.O[N]") -> Array:
    """Return the targets in the dtype of the states that a loss reads, of shape (T, S, n[N]).

    Args:
        targets: Y, floats of any precision, shape (S, n[N]), as an array or as lists.
        outputs: the states.
        name: what an error calls the states.

    Raises:
        TypeError, ValueError: if they are integers, of another shape, or not finite.
    """
    checks.array(name, outputs, "(T, S, n[N])", (None, None, None))
    _, S, width = outputs.shape
    given: Any = checks.from_lists("targets", targets)
    if isinstance(given, np.ndarray) and given.dtype.kind in "iub":
        raise TypeError(
            f"targets must be floats, one row of n[N] = {width} numbers for each sample, got "
            f"{given.dtype} of shape {given.shape}; of labels make one-hot rows, "
            f"np.eye({width})[labels], and of rows of integers floats, targets.astype(float)"
        )
    if isinstance(given, np.ndarray) and given.dtype.kind == "f":
        given = given.astype(outputs.dtype, copy=False)
    return checks.array("targets", given, "(S, n[N])", (S, width), dtype=outputs.dtype)


def read_loss(loss: Any, method: str = "direct") -> Any:
    """Return ``loss`` if it is one.

    Raises:
        TypeError, ValueError: if it is not one; the message says what to pass.
    """
    checks.choice("method", method, ("direct", "value"))
    if isinstance(loss, type) or not callable(getattr(loss, method, None)):
        wanted = (
            "a loss" if method == "value" else "a loss, or a direct term (T, S, n[N]),"
        )
        got = (
            f"the class {loss.__name__}"
            if isinstance(loss, type)
            else type(loss).__name__
        )
        raise TypeError(
            f"loss must be {wanted} with a method {method}, got {got}; "
            "pass for example stbp_edu.losses.Rate()"
        )
    return loss


def direct_term(loss: Any, trace: Trace, targets: Any) -> Direct:
    """Return the direct term of a loss, once checked.

    Args:
        loss: a loss, a :class:`Direct`, or ∂L/∂o^{t,N} itself, shape (T, S, n[N]).
        trace: a forward pass whose arrays have been checked.
        targets: Y, shape (S, n[N]), or what a loss of your own reads; not read where the direct
            term is given.
    """
    if isinstance(loss, Built):
        return loss.direct(trace, targets)
    if isinstance(loss, np.ndarray):
        loss = Direct(loss)
    if not isinstance(loss, Direct):
        read_loss(loss)  # yours: it alone knows which shape its targets have
        given: Any = checks.from_lists("targets", targets)
        numbers = checks.numbers(
            "targets", given, "that your loss reads", trace.O[-1].dtype
        )
        checks.check_finite("targets", numbers)
        targets = numbers if given.dtype.kind == "f" else given  # labels stay integers
        loss = checks.instance(
            "the direct term of the loss", loss.direct(trace, targets), Direct
        )
    if loss.o is None and loss.u is None:
        raise ValueError(
            "loss (the direct term) must hold dL/do or dL/du, got None; give an array"
        )
    for name, term in zip("ou", loss, strict=True):
        if term is not None:
            what = f"loss (the direct term dL/d{name})"
            checks.array(
                what, term, "(T, S, n[N])", trace.O[-1].shape, dtype=trace.O[-1].dtype
            )
    return loss
