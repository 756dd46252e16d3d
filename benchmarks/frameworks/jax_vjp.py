"""JAX, with the layer's backward pass written by hand."""

import math
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.frameworks.candidate import Candidate, GradientList
from benchmarks.frameworks.problem import LR, NEURON, SizedProblem
from stbp_edu.parameters import named_arrays

TAU, V_TH, A = NEURON.tau, NEURON.v_th, NEURON.surrogate.a
HEIGHT = 1 / math.sqrt(2 * math.pi * A)
BETA1, BETA2, EPS = 0.9, 0.999, 1e-8
UNROLL = 10


@jax.custom_vjp
def layer(current: Any) -> Any:
    """Return the spikes of a layer for the weighted inputs of all steps."""
    return _integrate(current)[1]


def _integrate(current: Any) -> Any:
    """Return potentials and spikes."""

    def one(carried: Any, x: Any) -> Any:
        u = carried + x
        o = (u >= V_TH).astype(u.dtype)
        return TAU * u * (1 - o), (u, o)

    return jax.lax.scan(one, jnp.zeros_like(current[0]), current, unroll=UNROLL)[1]


def _forward(current: Any) -> Any:
    u, o = _integrate(current)
    return o, u


def _backward(u: Any, above: Any) -> Any:
    """Return dL/du, from the last step down: ε = δ h + ε₊ τ (1 - o), δ = above - ε₊ τ u."""

    def one(later: Any, at: Any) -> Any:
        err, v = at[0], at[1] - V_TH
        h = jnp.exp(v * v * (-0.5 / A)) * HEIGHT
        e = err * h + later * (TAU * ((v < 0) - at[1] * h))
        return e, e

    e = jax.lax.scan(
        one, jnp.zeros_like(u[0]), (above, u), reverse=True, unroll=UNROLL
    )[1]
    return (e,)


layer.defvjp(_forward, _backward)


def loss(params: Any, x: Any, y: Any) -> Any:
    """Return the rate loss."""
    for W, b in zip(params[::2], params[1::2], strict=True):
        x = layer(x @ W.T + b)
    miss = x.mean(0) - y
    return (miss * miss).sum() / (2 * len(y))


@partial(jax.jit, donate_argnums=(0, 1, 2))
def train(params: Any, m: Any, v: Any, k: Any, x: Any, y: Any) -> Any:
    """Take one step of Adam; the old arrays are given up to the new."""
    grads = jax.grad(loss)(params, x, y)
    m = [BETA1 * a + (1 - BETA1) * g for a, g in zip(m, grads, strict=True)]
    v = [BETA2 * a + (1 - BETA2) * g * g for a, g in zip(v, grads, strict=True)]
    size, root = LR / (1 - BETA1**k), 1 / jnp.sqrt(1 - BETA2**k)
    params = [
        p - size * a / (jnp.sqrt(b) * root + EPS)
        for p, a, b in zip(params, m, v, strict=True)
    ]
    return params, m, v


def build(problem: SizedProblem) -> Candidate:
    """Return the step."""
    if problem.spikes.dtype == np.float64:
        jax.config.update("jax_enable_x64", True)
    params = [jnp.array(a) for a in named_arrays(problem.params).values()]
    x, y = jnp.array(problem.spikes), jnp.array(problem.targets)
    held: list[Any] = [params, [jnp.zeros_like(p) for p in params]]
    held.append([jnp.zeros_like(p) for p in params])
    count = [0]

    def step() -> None:
        count[0] += 1
        held[:] = train(*held, jnp.asarray(count[0], x.dtype), x, y)
        jax.block_until_ready(held)

    def gradients() -> GradientList:
        return [np.asarray(g) for g in jax.jit(jax.grad(loss))(held[0], x, y)]

    return Candidate(step, gradients)
