"""The neurons of a layer in compiled loops, on the memory of tensors.

They take the place of the program on tensors where Numba is installed and the layer is large: see
:class:`stbp_edu.program.executor.Executor`, whose methods these are.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from stbp_edu.arrows.step.layer_program import LayerProgram
from stbp_edu.program.layers import InLoops
from stbp_edu.program.machine_code import installed
from stbp_edu.program.threads import limit_threads
from stbp_edu.surrogates import is_curve

MUCH = 5_000
"""Values of a state, of all steps, from which on it pays to compile."""
Named = Mapping[str, Tensor]


def go_in_loops(x: Tensor, surrogate: Any, carried: int) -> bool:
    """Return whether neurons with this current are computed in compiled loops.

    These begin at rest, so they take no carried states.
    """
    if carried or x.numel() < MUCH or x.device.type != "cpu" or not x.is_contiguous():
        return False
    if x.dtype not in (torch.float32, torch.float64):
        return False
    if torch.compiler.is_compiling() or not installed():
        return False
    return is_curve(surrogate)


class TensorLoops:
    """The steps of a layer as compiled loops.

    Attributes:
        steps: the loops.
        signal_of: the name of the signal that comes to an adjoint, by state and state of the rule.
    """

    def __init__(self, program: LayerProgram, wanted: tuple[str, ...]) -> None:
        self.steps = InLoops(program, wanted)
        self.signal_of = program.signal_of

    def fill_states(
        self,
        drive: Tensor,
        states: Named,
        constants: Sequence[Any],
        R: Tensor | None = None,
        before: Sequence[Tensor] = (),
    ) -> None:
        """Fill the states of all steps, by name, (T, S, ...) each, from the current ``drive``.

        ``R`` multiplies the outputs of the step before from the right; ``before`` is empty.
        """
        limit_threads(torch.get_num_threads())
        order = self.steps.program.neuron.order
        series = {name: on_axes(states[name]) for name in order}
        x = series[order[0]]
        x[...] = on_axes(drive)
        self.steps.fill_states(x, series, as_arrays(constants), as_matrix(R))

    def fill_adjoints(
        self,
        states: Named,
        signals: Named,
        found: Named,
        constants: Sequence[Any],
        R: Tensor | None = None,
        before: Named | None = None,
    ) -> dict[str, Tensor]:
        """Fill the adjoints to keep; return what is learned, by sample and neuron."""
        limit_threads(torch.get_num_threads())
        program = self.steps.program
        some = next(iter(states.values()))  # for a state that no step back reads
        series = {
            name: on_axes(states.get(name, some))
            for name in self.steps.program.neuron.order
        }
        # The loops add to signals what comes back through R, so each has memory of its own.
        heard: dict[str, Any] = {}
        for name in program.signals:
            place = torch.empty_like(some)
            if not heard:  # the first has that of the first adjoint
                place = found[self.steps.wanted[0]]
            place.copy_(signals[name])
            heard[name] = on_axes(place)
        kept = {name: on_axes(found[name]) for name in self.steps.wanted}
        sums = self.steps.fill_adjoints(
            series, heard, kept, as_arrays(constants), as_matrix(R)
        )
        return {
            name: torch.from_numpy(g).view(some.shape[1:]) for name, g in sums.items()
        }


def as_arrays(constants: Sequence[Any]) -> list[Any]:
    """Return constants, those that are learned as arrays."""
    return [
        one.detach().numpy() if isinstance(one, Tensor) else one for one in constants
    ]


def as_matrix(R: Tensor | None) -> Any:
    """Return recurrent weights as an array."""
    return None if R is None else R.detach().numpy()


def on_axes(series: Tensor) -> Any:
    """Return the memory of (T, S, ...) as an array (T, S, m)."""
    return series.detach().contiguous().numpy().reshape(*series.shape[:2], -1)
