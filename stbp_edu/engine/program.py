"""The derived program of a network: forward, and backward under any rule, at full speed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np

from stbp_edu._support import checks
from stbp_edu._support.checks import Array
from stbp_edu.arrows import forward_run
from stbp_edu.arrows.arrow import LOSS, Arrow
from stbp_edu.arrows.rules import Rule, as_rule
from stbp_edu.arrows.step.layer_program import LayerProgram
from stbp_edu.arrows.step.shown_program import steps_back
from stbp_edu.arrows.table import LayerParams, Series, Table
from stbp_edu.engine.array_steps import ArraySteps
from stbp_edu.engine.compiled import CompiledSteps, chosen
from stbp_edu.engine.convolution import linear_map
from stbp_edu.engine.loop_source import LoopSource
from stbp_edu.engine.passes import Passes
from stbp_edu.engine.threads import one_blas_thread
from stbp_edu.engine.workspace import Workspace
from stbp_edu.surrogates import is_curve


@dataclass(frozen=True)
class Program:
    """A network's passes, made of the two functions of each layer's derived neuron.

    Args:
        net: of neurons that were derived from forward lines, those of the course among them.
        rule: a name in ``arrows.RULES``, or an ``arrows.Rule``.
        backend: ``"numpy"``: on whole arrays; ``"compiled"``: as loops over samples, steps and
            spikes, which needs Numba; ``"auto"``: compiled where Numba is installed and the
            surrogate is one of this package.
        twin: whether the smooth twin H replaces the spike.
        work: buffers to use again; traces and gradients live in them. Without them each call makes
            new arrays.
        reads: states of the last layer that a direct term may come to, beside that of the loss.

    Raises:
        ValueError: if a neuron has no forward lines, or the rule does not fit the network.
        ImportError: if ``"compiled"`` is asked for and Numba is missing.

    >>> from stbp_edu import LIF
    >>> from stbp_edu.arrows import hard_reset, network
    >>> net = network("2-1", hard_reset(LIF(tau=0.5, v_th=0.5)))
    >>> params = [None, {"W": np.ones((1, 2)), "b": np.zeros(1)}]
    >>> program = Program(net, backend="numpy")
    >>> trace = program.forward(params, np.full((2, 1, 2), 0.1))
    >>> program.gradients(params, trace, np.ones((1, 1)))[1]["b"].round(4)
    array([-0.6364])
    """

    net: Table
    rule: Rule | str = "exact"
    backend: str = "auto"
    twin: bool = False
    work: Workspace | None = None
    reads: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Check the network, the rule and the backend."""
        net = self.net
        kinds = {"net": Table, "twin": bool, "reads": tuple}
        workspace_or_none = Workspace, type(None)
        checks.fields("program", self, **kinds, work=workspace_or_none)
        of_last = net.states[net.N]
        for state in self.reads:
            checks.choice("reads", state, of_last)
        rule = as_rule(self.rule)
        backend = chosen(self.backend, net)
        object.__setattr__(self, "rule", rule)
        object.__setattr__(self, "backend", backend)
        _ = self.layers  # which checks the rule and the neurons

    @cached_property
    def layers(self) -> list[Any]:
        """The steps of each layer; None for the input."""
        rule = as_rule(self.rule)
        programs = steps_back(self.net, rule)
        last = programs[-1]
        more = [Arrow("readout", state, LOSS) for state in self.reads]
        leaving = [*last.leaving, *more]
        programs[-1] = replace(last, leaving=leaving)
        kind = CompiledSteps if self.backend == "compiled" else ArraySteps
        layers: list[Any] = [None]
        for below, program in pairwise(programs):
            wanted = self._wanted(below, program)
            needed = program.needed_for(wanted)
            steps = kind(needed, wanted, self.twin)
            layers.append(steps)
        return layers

    def _wanted(
        self, below: LayerProgram | None, program: LayerProgram
    ) -> tuple[str, ...]:
        """Return the adjoints that parameters read, first, or the layer below."""
        wanted = [program.start]
        if below is not None:
            for moves in below.signals.values():
                wanted += [program.name(a.target, q) for a, q in moves if a.layer]
        return tuple(dict.fromkeys(wanted))

    @property
    def source(self) -> str:
        """The source of each layer's loops, which are compiled where Numba is installed.

        Where the surrogate is not of this package, that of the functions that run on arrays.
        """
        found = []
        for n, steps in enumerate(self.layers[1:], 1):
            program = steps.program
            if is_curve(program.neuron.surrogate):
                loops = LoopSource(program, steps.wanted, steps.twin)
                source = loops.text
            else:
                source = program.source()
            found.append(f"# layer {n}\n{source}")
        return "\n\n".join(found)

    def forward(self, params: LayerParams, inputs: Array) -> Series:
        """Return every state at every step, as :func:`stbp_edu.arrows.forward` does.

        Args:
            params: its parameters; the dtype of their weights is that of the computation.
            inputs: shape (T, S, *input shape); any real numbers.

        Raises:
            TypeError, ValueError: if the parameters or inputs do not fit the network.
        """
        net = self.net
        forward_run.check_params(net, params)
        axes, sizes = f"(T, S, *{net.shape})", (None, None, *net.shape)
        checks.array("inputs", inputs, axes, sizes)
        dtype = dtype_of(params)
        inputs = np.asarray(inputs, dtype)
        passes = self.passes(params)
        with one_blas_thread(self.backend == "compiled"):
            states = passes.forward(flat(inputs))
        T, S = inputs.shape[:2]
        nowhere = [None] * net.N
        trace: Series = {"o": [inputs, *nowhere]}
        for n, of_layer in enumerate(states[1:], 1):
            shape = T, S, *net.shape_of(n)
            for name, series in of_layer.items():
                by_layer = trace.setdefault(name, [None, *nowhere])
                by_layer[n] = series.reshape(shape)
        return trace

    def gradients(
        self, params: LayerParams, trace: Series, targets: Array
    ) -> LayerParams:
        """Return the gradients of a forward run, as those of :func:`stbp_edu.arrows.backward`.

        Args:
            params: the parameters of that run.
            trace: the run.
            targets: shape (S, n[N]).

        Raises:
            TypeError, ValueError: if shapes do not fit.
        """
        net = self.net
        forward_run.check_params(net, params)
        forward_run.check_run(net, trace, targets)
        read = net.loss.state
        readout = trace[read][net.N]
        direct = net.loss.direct(readout, targets)
        dtype = dtype_of(params)
        states: list[dict[str, Array]] = []
        for n in range(net.N + 1):
            names: Sequence[str] = ("o",)
            if n > 0:
                names = net.layers[n].neuron.order
            by_name: dict[str, Array] = {}
            for name in names:
                series = flat(trace[name][n])
                by_name[name] = np.asarray(series, dtype)
            states.append(by_name)
        passes = self.passes(params)
        with one_blas_thread(self.backend == "compiled"):
            return passes.gradients(states, {read: flat(direct)})

    def passes(self, params: LayerParams, work: Workspace | None = None) -> Passes:
        """Return the passes with these parameters, which are not checked, perhaps in buffers."""
        if work is None:
            work = self.work
        if work is None:
            work = Workspace()
        dtype = dtype_of(params)
        cast: list[Any] = [None]
        weights: list[Any] = [None]
        compiled = self.backend == "compiled"
        for p, layer in zip(params[1:], self.net.layers[1:], strict=True):
            own = {name: np.asarray(value, dtype) for name, value in p.items()}
            into_layer = linear_map(layer.link, own["W"], compiled)
            cast.append(own)
            weights.append(into_layer)
        return Passes(self.layers, weights, cast, work)


def flat(a: Array) -> Array:
    """Return (T, S, *shape) as (T, S, m)."""
    T, S = a.shape[:2]
    return a.reshape(T, S, -1)


def dtype_of(params: LayerParams) -> np.dtype[Any]:
    """Return the dtype of the computation, which is that of the first weights."""
    first = params[1]["W"]
    found: np.dtype[Any] = first.dtype
    return found
