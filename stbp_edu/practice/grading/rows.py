"""The steps of a forward recursion, each with the step before it, and what may enter it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from stbp_edu.checks import Array
from stbp_edu.neuron import LIF
from stbp_edu.practice.tasks import Inputs

KEPT = "what is left of the last potential"
SILENT, SPIKED = f"{KEPT} where no spike came", f"{KEPT} after a spike"
INPUT, BIAS = "the input", "the bias"
EXPECTED_TERMS = (SILENT, SPIKED, INPUT, BIAS)


@dataclass(frozen=True)
class Rows:
    """One layer of one call, with the step before beside each step; time runs along axis 0."""

    u: Array
    o: Array
    below: Array
    bias: Array
    neuron: LIF

    def columns(self) -> dict[str, Array]:
        """Return what may enter u, by name; the right terms first."""
        u, o, f = self.u, self.o, self.neuron.f
        past_u, past_o = _before(u), _before(o)
        first = np.zeros_like(u)
        first[0] = 1.0
        return {
            SILENT: past_u * f(past_o) * (past_o < 0.5),
            SPIKED: past_u * f(past_o) * (past_o >= 0.5),
            INPUT: self.below,
            BIAS: np.broadcast_to(self.bias, u.shape),
            "the last potential with the gate of this step's spike": past_u * f(o),
            "the input of the step before": _before(self.below),
            "the last spike": past_o,
            "a constant": np.ones_like(u),
            "a constant at the first step": first,
        }

    def spikes(self) -> Array:
        """Return the spikes that belong to these potentials."""
        return self.neuron.g(self.u)


def _before(values: Array) -> Array:
    """Return the values of the step before each; 0 before the first."""
    return np.concatenate([np.zeros_like(values[:1]), values[:-1]])


def _one_neuron(inputs: Inputs, answer: Sequence[Array]) -> list[Rows]:
    """Return the rows of one neuron's run."""
    x, tau, v_th = inputs.args
    return [Rows(answer[0], answer[1], x, np.zeros(1), LIF(tau=tau, v_th=v_th))]


def _network(inputs: Inputs, answer: Sequence[Array]) -> list[Rows]:
    """Return the rows of a network, layer by layer."""
    _, params, neuron = inputs.args
    N = params.N
    U, O = [None, *answer[:N]], list(answer[N:])
    return [
        Rows(U[n], O[n], O[n - 1] @ params.W[n].T, params.b[n], neuron)  # type: ignore[arg-type]
        for n in range(1, N + 1)
    ]


FORWARD: dict[str, Callable[[Inputs, Sequence[Array]], list[Rows]]] = {
    "lif-run": _one_neuron,
    "forward": _network,
}
