"""The front door: a network of any neurons, its parameters, its forward and its backward pass.

>>> import numpy as np
>>> import stbp_edu
>>> mine = stbp_edu.derive("u = tau * u * (1 - o) + x; o = spike(u - v_th)", tau=0.9, v_th=1.0)
>>> net, rng = stbp_edu.network("784-800-10", mine), np.random.default_rng(0)
>>> params = net.init(rng, dtype=np.float32)
>>> spikes = (rng.random((5, 4, 784)) < 0.2).astype(np.float32)  # (T, S, n[0])
>>> trace = net.forward(spikes, params)
>>> grads = net.backward(trace, np.eye(10)[[3, 1, 4, 1]], params, rule="e-prop")
>>> grads.W[1].shape
(800, 784)

What it and its methods take and return is checked in ``arguments``.
"""

from __future__ import annotations  # np.random is loaded where it is used

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from stbp_edu._support import checks
from stbp_edu._support.checks import Array
from stbp_edu.arrows import with_gain_limit
from stbp_edu.arrows.arrow import Neuron
from stbp_edu.arrows.rules import Rule, as_rule
from stbp_edu.arrows.table import Table
from stbp_edu.arrows.table import network as table_of
from stbp_edu.forward_pass import Trace
from stbp_edu.losses import RATE, AnyLoss, LossLike, as_loss, read_loss
from stbp_edu.networks.arguments import (
    AnyNeuron,
    as_neuron,
    check_gradients,
    check_layers,
    check_states,
    direct_terms,
    inputs_of,
    is_smooth,
    layers_of,
    states_of,
    trace_of,
    value_of,
    warn_of_learned_decays,
    weights_of,
)
from stbp_edu.neuron import LIF  # noqa: F401 - for the examples
from stbp_edu.parameters import Gradients, Params, by_name, draw_weights
from stbp_edu.program import Program, chosen
from stbp_edu.program.machine import Memory

__all__ = ["Model", "network"]

LARGE = 50_000
"""Weights of a network below which operations on whole arrays take less time than compiling."""


@dataclass(frozen=True)
class Model:
    """A network with its passes; :func:`network` makes one.

    Attributes:
        sizes: the sizes as a text.
        table: the network as a table of arrows, which :mod:`stbp_edu.arrows` takes.
        loss: the loss that :meth:`backward` takes where none is given.
        backend: how it computes: ``"numpy"``, ``"compiled"`` or ``"auto"``.
    """

    sizes: str
    table: Table
    loss: Any
    backend: str
    _programs: dict[Any, tuple[Rule, Program]] = field(default_factory=dict, repr=False)
    _memory: Memory = field(default_factory=Memory, repr=False)

    def __repr__(self) -> str:
        """Return the sizes, and the states of the neurons."""
        states = {" ".join(layer.neuron.order) for layer in self.table.layers[1:]}
        return f"network({self.sizes!r}), states {' | '.join(sorted(states))}"

    def __reduce__(self) -> Any:
        """Pickle what it was made of; programs are made again."""
        neurons = [layer.neuron for layer in self.table.layers[1:]]
        return network, (self.sizes, neurons, self.loss, self.backend)

    @property
    def N(self) -> int:  # noqa: N802 - the letter of the notation table
        """Number of layers, the input not counted."""
        return self.table.N

    @property
    def computes(self) -> str:
        """How passes through it compute: ``"numpy"`` or ``"compiled"``."""
        small = weights_of(self.table) < LARGE  # whole arrays take less time
        if small and self.backend == "auto":
            return "numpy"
        return chosen(self.backend, self.table)

    def init(
        self,
        rng: np.random.Generator,
        dtype: Any = np.float64,
        *,
        scheme: str = "unit-rows",
        scale: float = 1.0,
    ) -> Params:
        """Draw initial parameters: biases are zero, constants that are learned have their value.

        Args:
            rng: a seeded ``np.random.Generator``.
            dtype: np.float64 (to learn and to check) or np.float32 (to train).
            scheme: of weights and recurrent weights; see :func:`stbp_edu.init_params`.
            scale: factor on all weights; > 0.

        Raises:
            TypeError, ValueError: if an argument is not usable.

        >>> net = network("3-2R-1", "tau = 0.5; u = tau * u + x; o = spike(u - 1)")
        >>> {name: a.shape for name, a in net.init(np.random.default_rng(0)).arrays().items()}
        {'W1': (2, 3), 'b1': (2,), 'R1': (2, 2), 'W2': (1, 2), 'b2': (1,)}
        """
        dtype = checks.float_dtype("dtype", dtype)
        layers: list[Any] = [None]
        for layer in self.table.layers[1:]:
            arrays: dict[str, Array] = {}
            for name, shape in layer.shapes.items():
                if name in ("W", "R"):
                    W = draw_weights(shape, rng, dtype, scheme, scale)
                    # The weights that leave one neuron lie side by side in memory.
                    arrays[name] = np.asfortranarray(W) if W.ndim == 2 else W
                elif name == "b":
                    arrays[name] = np.zeros(shape, dtype)
                else:
                    arrays[name] = layer.neuron.start(name, shape, dtype)
            layers.append(arrays)
        images = re.search("[xCP]", self.sizes)
        return Params(**by_name(layers), shape=self.sizes if images else "")

    def forward(
        self,
        spikes: ArrayLike,
        params: Params,
        *,
        twin: bool = False,
    ) -> Trace:
        """Return every state at every step.

        Args:
            spikes: the input, shape (T, S, n[0]), of images also (T, S, channels, rows, columns):
                spikes, or any finite numbers. The trace has a copy, unless the array is read-only.
            params: the parameters; their dtype decides the computation's.
            twin: whether the smooth twin H stands in for the spike.

        Returns:
            The trace: ``trace["u"][n]`` is a state of layer n by its name, ``trace.O[n]`` its
            output and ``trace.U[n]`` its potential, of shape (T, S, n[n]).

        Raises:
            TypeError, ValueError: if the parameters or the input do not fit the network.
            NotFiniteError: if a state is not finite; it names the line, the layer and the
                step.

        >>> net = network("1-1", "tau = 0.5; u = tau * u + x; o = spike(u - 2) ")
        >>> params = Params(W=[None, np.array([[1.0]])], b=[None, np.array([0.6])])
        >>> net.forward(np.ones((3, 1, 1)), params).O[1].ravel()
        array([0., 1., 1.])
        """
        layers = layers_of(self.table, self.sizes, params)
        warn_of_learned_decays(self.table, layers)
        checks.instance("twin", twin, bool)
        inputs = inputs_of(self.table, self.sizes, spikes, params.dtype)
        states = self._program("exact", twin=twin).forward(layers, inputs)
        check_states(self.table, layers, states)
        return trace_of(self.table, states, twin, params)

    def backward(
        self,
        trace: Trace,
        targets: ArrayLike | None,
        params: Params,
        rule: str | Rule = "exact",
        loss: LossLike | AnyLoss | None = None,
        *,
        gain_limit: float | None = None,
    ) -> Gradients:
        """Return the gradients of a forward pass, in the shape of the parameters.

        Args:
            trace: the pass.
            targets: Y, floats of shape (S, n[N]), as one-hot rows ``np.eye(classes)[labels]``; what
                a loss of your own reads; not read where ``loss`` is a direct term.
            params: the parameters of that pass, unchanged since; the neurons are those of that
                pass, too, but for their surrogates.
            rule: what flows backward: a name in ``stbp_edu.arrows.RULES``, or a ``Rule``.
            loss: a loss of :mod:`stbp_edu.losses`, its name, your own, or a direct term; the
                network's where None.
            gain_limit: the size that no neuron's gain from step to step may exceed; None for none.

        Raises:
            TypeError, ValueError: if the arguments do not fit together, or the rule keeps no path.
            NotFiniteError: if a gradient is not finite; it names the line whose slope is not.

        >>> net = network("1-1", "tau = 0.5; u = tau * u * (1 - o) + x; o = spike(u - 2)")
        >>> params = Params(W=[None, np.array([[1.0]])], b=[None, np.array([0.6])])
        >>> trace = net.forward(np.ones((3, 1, 1)), params)
        >>> net.backward(trace, np.array([[1.0]]), params).b[1].round(3)
        array([-0.264])
        """
        layers = layers_of(self.table, self.sizes, params)
        states = states_of(self.table, trace, params)
        loss = self.loss if loss is None else loss
        direct = direct_terms(loss, self.table.layers[-1], trace, targets)
        program = self._program(
            rule, gain_limit, reads=tuple(direct), twin=is_smooth(trace)
        )
        found = Gradients(**by_name(program.backward(layers, states, direct)))
        check_gradients(self.table, layers, states, found.arrays())
        return found

    def value(self, trace: Trace, targets: ArrayLike, loss: Any = None) -> float:
        """Return the loss of a forward pass; the network's where ``loss`` is None."""
        check_layers(self.table, trace)
        return value_of(self.loss if loss is None else loss, trace, targets)

    def _program(
        self, rule: str | Rule, gain_limit: float | None = None, **how: Any
    ) -> Program:
        """Return the program for a rule, which is made once."""
        rule = as_rule(rule)
        limited = with_gain_limit(gain_limit, rule)
        key = (id(rule), gain_limit, *sorted(how.items()))
        if key not in self._programs:
            program = Program(
                self.table, limited, self.computes, memory=self._memory, **how
            )
            self._programs[key] = rule, program  # the rule is kept, and so is its id
        return self._programs[key][1]


def network(
    sizes: str | Sequence[int | str],
    neuron: AnyNeuron | Sequence[AnyNeuron],
    loss: AnyLoss = RATE,
    backend: str = "auto",
) -> Model:
    """Return a network of any neurons.

    Args:
        sizes: ``"784-800-10"``, or ``[784, 800, 10]``; ``28x28`` or ``34x34x2`` is an image (rows,
            columns, channels), ``15C5`` a convolution, ``P2`` average pooling, ``20R`` a layer
            with recurrent weights.
        neuron: an :class:`stbp_edu.LIF`, what :func:`stbp_edu.derive` returns, or forward lines
            as a text; or a list of one for each layer. Lines without ``spike`` are a read-out.
        loss: a loss of :mod:`stbp_edu.losses`, its name, such as ``"membrane"``, or your own.
        backend: ``"numpy"``; ``"compiled"``, which needs Numba; or ``"auto"``: compiled where
            Numba is installed and the network is large.

    Raises:
        TypeError, ValueError: if a part or a line is not understood, or the shapes do not chain.
        ImportError: if ``"compiled"`` is asked for and Numba is missing.

    >>> read_out = "kappa = 0.9; u = kappa * u + x"
    >>> net = network("4-8R-2", [LIF(), read_out])
    >>> params = net.init(np.random.default_rng(0))
    >>> trace = net.forward(np.ones((5, 3, 4)), params)
    >>> net.backward(trace, np.ones((3, 2)), params, rule="e-prop").R[1].shape
    (8, 8)
    """
    checks.choice("backend", backend, ("auto", "numpy", "compiled"))
    several = isinstance(neuron, list | tuple)
    given: Any = neuron if several else [neuron]
    neurons: list[Neuron] = [as_neuron(one) for one in given]
    if not neurons:
        raise ValueError(
            "neuron must be a neuron or a list of one for each layer, got an empty list; add the "
            "neurons"
        )
    fitted: Any = read_loss(as_loss(loss))
    table = table_of(sizes, neurons if several else neurons[0], fitted)
    text = sizes if isinstance(sizes, str) else "-".join(map(str, sizes))
    return Model(text, table, fitted, backend)
