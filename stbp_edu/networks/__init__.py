"""The front door: a network of any neurons, its parameters, its forward and its backward pass.

mine = stbp_edu.derive("u = tau * u * (1 - o) + x; o = spike(u - v_th)", tau=0.9, v_th=1.0)
net = stbp_edu.network("784-800-10", mine)
params = net.init(rng, dtype=np.float32)
trace = net.forward(spikes, params)
grads = net.backward(trace, targets, params, rule="e-prop")

- ``any_network``: :func:`network`, and the :class:`Model` that it makes;
- ``arguments``: parameters and input, checked against it;
- ``traces``: the states of a pass;
- ``reading_a_loss``: the value of a loss, and its direct term.
"""

from stbp_edu.networks.any_network import Model, network
from stbp_edu.networks.arguments import sizes_of

__all__ = ["Model", "network", "sizes_of"]
