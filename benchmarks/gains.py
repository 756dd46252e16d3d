"""Passes in which a gradient's factors from step to step are other ones than those of a rule."""

from typing import Any

import numpy as np

from stbp_edu import Gradients
from stbp_edu._support.checks import Array
from stbp_edu.forward_pass import Trace
from stbp_edu.parameters import named_arrays
from stbp_edu.training.model import network_for
from stbp_edu.training.settings import Settings


class Gains:
    """The network of a run, with gradients of the exact rule in which each gain is another one.

    The gain is f + u f' h, the factor from a neuron's error at t + 1 to its error at t. ``kind``
    says which is taken: "exact", "absolute" or "random", and ``height`` is a factor on h. With
    ``size``, the absolute values of the gradient's entries are those of another kind of gain.
    """

    def __init__(
        self, params: Any, settings: Settings, kind: str = "exact", size: str = "",
        height: float = 1.0,
    ) -> None:  # fmt: skip
        self.net = network_for(params, settings)
        if settings.rule != "exact" or "R" in str(settings.hidden):
            raise ValueError(
                "arms that change gains need the exact rule and dense layers"
            )
        self.neuron, self.loss = settings.make_neuron(), settings.make_loss()
        self.kind, self.size, self.height = kind, size, height
        self.rng = np.random.default_rng([settings.seed, 99])

    def forward(self, spikes: Array, params: Any) -> Trace:
        """Return every state at every step."""
        return self.net.forward(spikes, params)

    def backward(self, trace: Any, targets: Array, params: Any, _: Any) -> Gradients:
        """Return the gradients with these gains."""
        grads = self._swept(params, trace, targets, self.kind)
        if self.size:
            other = named_arrays(self._swept(params, trace, targets, self.size))
            for name, one in named_arrays(grads).items():
                one[...] = np.sign(one) * np.abs(other[name])
        return grads

    def _swept(self, params: Any, trace: Any, targets: Array, kind: str) -> Gradients:
        W, b = list[Any](params.W), list[Any](params.b)
        delta = self.loss.direct(trace, targets).o
        for n in range(len(W) - 1, 0, -1):
            u, o = trace.U[n], trace.O[n]
            h = self.height * self.neuron.h(u)
            gain = self.neuron.f(o) + u * self.neuron.df(o) * h
            if kind == "absolute":
                gain = np.abs(gain)
            elif kind == "random":  # reduced as by a limit of 1, but elsewhere
                factor = (1 / np.abs(gain).clip(min=1)).reshape(len(gain), -1)
                order = self.rng.permutation(factor.shape[1])
                gain = gain * factor[:, order].reshape(gain.shape)
            epsilon = delta * h
            for t in range(len(u) - 2, -1, -1):
                epsilon[t] += gain[t] * epsilon[t + 1]
            delta = epsilon @ params.W[n]
            W[n] = np.tensordot(epsilon, trace.O[n - 1], ((0, 1), (0, 1)))
            b[n] = epsilon.sum(axis=(0, 1))
        return Gradients(W, b)
