"""The neurons of a layer in compiled loops, on the memory of tensors.

They take the place of the program on tensors where Numba is installed and the layer is large: see
:class:`stbp_edu.program.executor.Executor`, whose methods these are.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from stbp_edu.arrows.rules import Node
from stbp_edu.program.executor import Series
from stbp_edu.program.in_loops import InLoops, installed
from stbp_edu.program.machine import limit_threads
from stbp_edu.surrogates import is_curve

MUCH = 5_000
"""Values of a state, of all steps, from which on it pays to compile."""


def can_loop(x: Tensor) -> bool:
    """Return whether compiled loops can go through a tensor."""
    if torch.compiler.is_compiling() or not installed():
        return False
    known = x.device.type == "cpu" and x.dtype in (torch.float32, torch.float64)
    return known and x.is_contiguous()


def go_in_loops(x: Tensor, surrogate: Any, carried: int) -> bool:
    """Return whether neurons with this current are computed in compiled loops.

    These begin at rest, so they take no carried states.
    """
    much = x.numel() >= MUCH and not carried
    return much and can_loop(x) and is_curve(surrogate)


class TensorLoops(InLoops):
    """The steps of a layer as compiled loops."""

    @property
    def signal_of(self) -> Mapping[Node, str]:
        """By adjoint, the name of its signal, if it has one."""
        return self.program.signal_of

    def fill_states(
        self,
        x: Tensor,
        states: Series,
        constants: Sequence[Any],
        R: Any = None,
        before: Sequence[Any] = (),
    ) -> None:
        """Fill the states of all steps; ``before`` is empty."""
        limit_threads(torch.get_num_threads())
        order = self.program.neuron.order
        states[order[0]].copy_(x)
        series = {name: on_axes(states[name]) for name in order}
        numbers, R = map(as_arrays, (constants, R))
        super().fill_states(series[order[0]], series, numbers, R)

    def fill_adjoints(
        self,
        states: Series,
        signals: Series,
        found: Series,
        constants: Sequence[Any],
        R: Any = None,
        before: Series | None = None,
    ) -> dict[str, Any]:
        """Fill the adjoints to keep; return what is learned, by sample and neuron."""
        limit_threads(torch.get_num_threads())
        some = next(iter(states.values()))  # for a state that no step back reads
        series = {
            name: on_axes(states.get(name, some)) for name in self.program.neuron.order
        }
        kept = {name: on_axes(place) for name, place in found.items()}
        # The loops add to signals what comes back through R, so each has memory of its own; the
        # first has that of the first adjoint.
        heard: dict[str, Any] = {}
        for name in self.program.signals:
            place = torch.empty_like(some) if heard else found[self.wanted[0]]
            heard[name] = on_axes(place.copy_(signals[name]))
        numbers, R = map(as_arrays, (constants, R))
        sums = super().fill_adjoints(series, heard, kept, numbers, R)
        return {
            name: torch.from_numpy(g).view(some.shape[1:]) for name, g in sums.items()
        }


def as_arrays(given: Any) -> Any:
    """Return a list of tensors and numbers, or one of them, with arrays in place of tensors."""
    if isinstance(given, Sequence):
        return [as_arrays(one) for one in given]
    return given.detach().numpy() if isinstance(given, Tensor) else given


def on_axes(series: Tensor) -> Any:
    """Return the memory of (T, S, ...) as an array (T, S, m)."""
    return series.detach().contiguous().numpy().reshape(*series.shape[:2], -1)
