"""The program that is shown, run: forward and backward of a network, under any rule.

:class:`Program` goes through the layers; :func:`stbp_edu.network` is the door. Between layers are
``weights``. The neurons of a layer run what ``derive(...).program(rule)`` shows: on arrays of NumPy
or tensors, by ``executor``, or ``in_loops`` that Numba compiles and keeps: ``loop_text`` writes
them, and they call ``loops``. Threads share the work, and memory is used again: ``machine``.

Each form in which a program runs is compared with what knows nothing of it. They are the text that
is shown, with all that it imports; the same on arrays, as networks run it; and the loops, as Python
runs them and compiled.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from itertools import pairwise
from typing import Any

import numpy as np

from stbp_edu._support import checks
from stbp_edu._support.checks import Array
from stbp_edu.arrows.arrow import LOSS
from stbp_edu.arrows.layer_program import LayerProgram, steps_back
from stbp_edu.arrows.rules import Rule, as_rule
from stbp_edu.arrows.table import Table
from stbp_edu.program.executor import OnArrays, Series, norm
from stbp_edu.program.in_loops import ByPython, InLoops, installed
from stbp_edu.program.machine import Memory, one_blas_thread
from stbp_edu.program.weights import Weights, flat
from stbp_edu.surrogates import fires, is_curve

States = list[Any]
"""By layer, the states of all steps by name, (T, S, n[n]) each; layer 0 has only the input "o"."""


@dataclass(frozen=True)
class Program:
    """A network's passes, made of the two functions of each layer's derived neuron.

    It checks nothing: :func:`stbp_edu.network` is the door.

    Args:
        net: the network.
        rule: a name in ``arrows.RULES``, or an ``arrows.Rule``.
        backend: ``"numpy"``: on whole arrays; ``"compiled"``: as loops over spikes, steps and
            neurons, which needs Numba; ``"auto"``: compiled where Numba is installed and the
            surrogate is one of this package.
        twin: whether the smooth twin H replaces the spike; it runs on arrays.
        reads: states of the last layer that a direct term may come to, beside that of the loss.
        kind: what runs the neurons of a layer: a class of ``executor`` or ``in_loops``; None for
            the backend's.
        memory: where the arrays of its passes lie; programs of a network may share it.

    >>> from stbp_edu import LIF
    >>> from stbp_edu.arrows import hard_reset, network
    >>> net = network("2-1", hard_reset(LIF(tau=0.5, v_th=0.5)))
    >>> params = [None, {"W": np.ones((1, 2)), "b": np.zeros(1)}]
    >>> program = Program(net, backend="numpy")
    >>> states = program.forward(params, np.full((2, 1, 2), 0.1))
    >>> direct = net.loss.direct(states[1]["o"], np.ones((1, 1)))
    >>> program.backward(params, states, {"o": direct})[1]["b"].round(4)
    array([-0.6364])
    """

    net: Table
    rule: Rule | str = "exact"
    backend: str = "auto"
    twin: bool = False
    reads: tuple[str, ...] = ()
    kind: Any = None
    memory: Memory = field(default_factory=Memory, repr=False, compare=False)

    @cached_property
    def compiled(self) -> bool:
        """Whether loops are compiled."""
        return chosen(self.backend, self.net) == "compiled"

    @cached_property
    def layers(self) -> list[Any]:
        """The neurons of each layer; None for the input."""
        programs = steps_back(self.net, as_rule(self.rule))
        programs[-1] = replace(programs[-1], reads=self.reads)
        layers: list[Any] = [None]
        for below, program in pairwise(programs):
            wanted = {program.start: None}  # a set in order
            for moves in below.signals.values() if below else ():
                wanted |= {program.name(a.target, q): None for a, q in moves if a.layer}
            kind = self.kind or (InLoops if self.compiled else OnArrays)
            # a gain limit asks for singular values, and a check by differences for the twin
            if self.twin or "norm(" in program.source():
                layers.append(OnArrays(program, tuple(wanted), twin=self.twin))
            else:
                layers.append(kind(program, tuple(wanted)))
        return layers

    def forward(self, params: Sequence[Any], inputs: Array) -> States:
        """Return every state at every step.

        Args:
            params: None, then the arrays of each layer by name, all of one dtype.
            inputs: shape (T, S, n[0]), of that dtype.
        """
        states: States = [{"o": inputs}]
        self.memory.begin(inputs.shape, inputs.dtype)
        with one_blas_thread(self.compiled), np.errstate(all="ignore"):
            for n, layer in enumerate(self.layers[1:], 1):
                p = params[n]
                below = states[n - 1][self.net.output_of(n - 1)]
                shape = *below.shape[:2], self.net.sizes[n]
                own = {
                    name: self.memory.empty(shape, below.dtype)
                    for name in self.net.states[n]
                }
                x = own[self.net.states[n][0]]
                spikes = self._weights(n, params).forward(below, x)
                if n == 1:
                    self.memory.keep_spikes(inputs, spikes)
                constants = _constants(layer.program, p, x.dtype)
                layer.fill_states(x, own, constants, p["R"].T if "R" in p else None)
                states.append(own)
        return states

    def backward(
        self, params: Sequence[Any], states: States, direct: Mapping[str, Array]
    ) -> list[Any]:
        """Return the gradients by layer: None, then arrays by name.

        Args:
            params: those of the pass.
            states: those of :meth:`forward`.
            direct: by state of the last layer, the direct term, (T, S, n[N]).
        """
        result: list[Any] = [None] * len(self.layers)
        above: dict[str, Array] = {}
        with one_blas_thread(self.compiled), np.errstate(all="ignore"):
            for n in range(self.net.N, 0, -1):
                layer, p = self.layers[n], params[n]
                output = states[n][self.net.output_of(n)]
                signals: dict[str, Array] = {}
                for name in layer.program.signals:
                    signals[name] = self.memory.empty(output.shape, output.dtype)
                    self._signal(n, params, name, above, direct, signals[name])
                # the first adjoint takes the place of the first signal, if there is one
                places = [*signals.values()][:1]
                for _ in layer.wanted[len(places) :]:
                    places.append(self.memory.empty(output.shape, output.dtype))
                errors = dict(zip(layer.wanted, places, strict=True))
                constants = _constants(layer.program, p, output.dtype)
                sums = layer.fill_adjoints(
                    states[n], signals, errors, constants, p.get("R")
                )
                grads = {}
                for name, g in sums.items():
                    sharing = g.sum(axis=0).reshape(*p[name].shape, -1)
                    grads[name] = np.asarray(sharing.sum(axis=-1))  # c5-b
                epsilon = places[0]
                if "R" in p:
                    grads["R"] = flat(epsilon[1:]).T @ flat(output[:-1])
                below = states[n - 1][self.net.output_of(n - 1)]
                spikes = self.memory.spikes_of(below) if n == 1 else None
                weights = self._weights(n, params)
                grads["W"] = weights.gradient(epsilon, below, spikes)
                result[n] = grads
                above = errors
        return result

    def _weights(self, n: int, params: Sequence[Any]) -> Weights:
        """Return the weights into a layer."""
        link = self.net.layers[n].link
        return Weights(link, params[n], self.compiled, self.memory.empty)

    def _signal(
        self,
        n: int,
        params: Sequence[Any],
        name: str,
        above: Mapping[str, Array],
        direct: Mapping[str, Array],
        out: Array,
    ) -> None:
        """Write the errors that layer n receives from the loss and the layer above."""
        for arrow, q in self.layers[n].program.signals[name]:
            if arrow.layer:
                error = above[self.layers[n + 1].program.name(arrow.target, q)]
                self._weights(n + 1, params).transpose(error, out)
                return
            if arrow.target == LOSS and arrow.source in direct:
                out[...] = direct[arrow.source]
                return
        out[...] = 0


def _constants(program: LayerProgram, p: Series, dtype: Any) -> list[Any]:
    """Return the constants of a program in a dtype, those that are learned from its arrays."""
    found = []
    for name, given in program.lines.constants.items():
        value = np.asarray(p.get(name, given), dtype)
        found.append(value[()] if value.ndim == 0 else value.reshape(-1))
    return found


def chosen(backend: str, net: Table) -> str:
    """Return the backend that is used where one is asked for.

    Raises:
        ImportError: if ``"compiled"`` is asked for and Numba is missing.
        TypeError: if it is asked for a surrogate that is not of this package.
    """
    if checks.choice("backend", backend, ("auto", "numpy", "compiled")) == "numpy":
        return backend
    layers = [*enumerate(net.layers)][1:]
    odd = [n for n, layer in layers if not is_curve(layer.neuron.surrogate)]
    if backend == "compiled":
        if not installed():
            raise ImportError(
                "backend='compiled' needs Numba, which is not installed: "
                "pip install numba, or use backend='numpy'"
            )
        if odd:
            raise TypeError(
                f"the surrogate of layer {odd[0]} cannot be compiled: it is not a Curve with "
                "methods h and twin; use backend='numpy'"
            )
    return "compiled" if installed() and not odd else "numpy"


class AsShown(OnArrays):
    """The neurons of a layer, by the text that is shown and what it imports and defines."""

    @staticmethod
    def functions(program: LayerProgram, twin: bool) -> dict[str, Any]:
        """Return what the text imports and defines, and the curves of the neuron."""
        h = program.neuron.surrogate.derivative
        space = {"spike": fires, "h": h, "norm": norm}
        exec(program.shown(), space)
        return space


Form = Callable[[Any, Any, Any, Array, Array], tuple[list[Any], list[Any]]]
"""Returns states and gradients, from a network, a rule, parameters, inputs and the direct term."""


def run(
    kind: type, net: Any, rule: Any, params: Any, inputs: Array, direct: Array
) -> tuple[list[Any], list[Any]]:
    """Return the states of every layer and the gradients, by one form."""
    program = Program(net, rule, "numpy", kind=kind)
    states = program.forward(params, inputs.reshape(*inputs.shape[:2], -1))
    return states, program.backward(params, states, {net.loss.state: direct})


FORMS: dict[str, Form] = {
    "as shown": partial(run, AsShown),
    "on arrays": partial(run, OnArrays),
    "in loops": partial(run, ByPython),
}
"""The forms that are quick to make."""
COMPILED: Form = partial(run, InLoops)
"""Compiled loops, which take seconds."""
IN_PYTORCH: dict[str, Form] = {}
"""The form of :mod:`stbp_edu.torch`, which puts it here when it is imported."""
