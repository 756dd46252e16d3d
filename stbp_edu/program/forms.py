"""The forms in which a neuron's program runs, each to be compared with what knows nothing of it.

They are the text that is shown, with all that it imports; the same on arrays, as networks run it;
and the loops, as Python runs them and compiled.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from stbp_edu._support.checks import Array
from stbp_edu.arrows.layer_program import LayerProgram
from stbp_edu.lines.operations import fires
from stbp_edu.program.executor import OnArrays, norm
from stbp_edu.program.in_loops import ByPython, InLoops
from stbp_edu.program.program import Program


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
