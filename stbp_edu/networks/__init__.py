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

- ``any_network``: :func:`network`, and the :class:`Model` that it makes;
- ``arguments``: parameters, input, trace and loss, checked against it.
"""

from stbp_edu.networks.any_network import Model, network

__all__ = ["Model", "network"]
