"""Programs that take and give what the sweeps of ``stbp_edu.arrows`` do: series by name."""

import numpy as np

from stbp_edu.program import program


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
