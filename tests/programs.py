"""Programs that take and give what the sweeps of ``stbp_edu.arrows`` do: series by name."""

from itertools import product

import numpy as np
import pytest

from stbp_edu import arrows, program
from stbp_edu.program.machine import limit_threads
from tests.arrows.oracle import error
from tests.bad_calls import equal


def flat(series):
    return series.reshape(*series.shape[:2], -1)


class Program(program.Program):
    """A program whose runs are compared with those of Part II."""

    def forward(self, params, inputs):
        states = super().forward(params, flat(np.asarray(inputs, params[1]["W"].dtype)))
        trace = {"o": [inputs, *[None] * self.net.N]}
        for n, of_layer in enumerate(states[1:], 1):
            for name, series in of_layer.items():
                of_layers = trace.setdefault(name, [None] * (self.net.N + 1))
                shape = self.net.shape_of(n)
                of_layers[n] = series.reshape(*series.shape[:2], *shape)
        return trace

    def gradients(self, params, trace, targets):
        dtype = params[1]["W"].dtype
        read = self.net.loss.state
        states = []
        for n, names in enumerate(self.net.states):
            given = {name: flat(trace[name][n]).astype(dtype) for name in names}
            states.append(given)
        direct = self.net.loss.direct(trace[read][self.net.N], targets)
        return self.backward(params, states, {read: flat(direct)})


def assert_part_two(
    net, params, inputs, y, rule="exact", backend="numpy", *, twin=False
):
    """Every state of a program, and every gradient, equals Part II's."""
    trace = arrows.forward(net, params, inputs, twin=twin)
    program = Program(net, rule, backend, twin=twin)
    found = program.forward(params, inputs)
    for name, n in product(trace, range(net.N + 1)):
        if trace[name][n] is not None:
            assert found[name][n] == pytest.approx(trace[name][n], rel=1e-12, abs=1e-12)
    expected = arrows.backward(net, params, trace, y, rule).gradients
    assert error(program.gradients(params, found, y), expected) < 1e-12


def assert_same_bits(net, params, inputs, y, backend):
    """A program's states and gradients are the same in 1, 2 and 4 threads."""
    program, found = Program(net, "exact", backend), []
    for count in (1, 2, 4):
        limit_threads(count)
        trace = program.forward(params, inputs)
        found.append([trace, program.gradients(params, trace, y)])
    limit_threads(0)
    assert equal(found[1], found[0])
    assert equal(found[2], found[0])
