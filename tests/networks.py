"""Random networks for the tests, and comparisons whose failures say where."""

from dataclasses import replace
from functools import lru_cache

import numpy as np
from hypothesis import strategies as st

import stbp_edu
from stbp_edu import LIF, forward_pass
from stbp_edu.neuron import GATES
from stbp_edu.surrogates import SURROGATES
from stbp_edu.verify import comparison

CASE_IDS = [f"c{k}-{adjoint}" for k in range(1, 5) for adjoint in ("delta", "epsilon")]
CASE_IDS += ["c5-b", "c5-w"]


class Problem(comparison.Problem):
    """A network, its input and its targets, with its forward pass."""

    @property
    def trace(self):
        """The step-by-step forward pass."""
        return forward_pass.forward(self.spikes, self.params, self.neuron)


def failures(got, expected, tolerance=comparison.ROUNDING):
    """Return a sentence for each array that differs, in the order of the backward sweep.

    ``got`` may be only the gradients.
    """
    if not isinstance(got, forward_pass.Adjoints):
        got = replace(expected, gradients=got)
    every = comparison.comparisons(got, expected, tolerance)
    return [outcome.message for outcome in every if not outcome.ok]


def make_problem(seed, sizes, T, S, neuron, dtype=np.float64):
    """Draw weights, biases, input spikes and targets."""
    rng = np.random.default_rng(seed)
    params = stbp_edu.init_params(sizes, rng, dtype, scheme="uniform")
    for b in params.b[1:]:
        b += rng.normal(0.2, 0.3, b.shape).astype(dtype)
    spikes = (rng.random((T, S, sizes[0])) < 0.5).astype(dtype)
    targets = rng.random((S, sizes[-1])).astype(dtype)
    return Problem(spikes, targets, params, neuron)


def fast_forward(spikes, params, neuron, *, twin=False):
    """The forward pass of ``stbp_edu.network``, called as the readable one is."""
    net = network_of(tuple(params.sizes), neuron)
    return net.forward(spikes, params, twin=twin)


def fast_backward(trace, targets, params, neuron, *rule_and_loss, **more):
    """The gradients of ``stbp_edu.network``, called as the readable ones are."""
    net = network_of(tuple(params.sizes), neuron)
    return net.backward(trace, targets, params, *rule_and_loss, **more)


@lru_cache(maxsize=64)
def network_of(sizes, neuron, backend="numpy"):
    """A network, which keeps its programs."""
    return stbp_edu.network(sizes, neuron, backend=backend)


@st.composite
def neurons(draw, gates=GATES):
    """Any neuron: every surrogate, and these gates."""
    surrogate = SURROGATES[draw(st.sampled_from(sorted(SURROGATES)))]
    return LIF(
        tau=draw(st.sampled_from([0.1, 0.2, 0.5, 0.9, 1.3])),
        v_th=draw(st.sampled_from([0.3, 0.5, 1.0, 1.5])),
        surrogate=surrogate(draw(st.sampled_from([0.25, 1.0, 3.0]))),
        gate=draw(st.sampled_from(gates)),
    )


@st.composite
def problems(draw, max_layers=4, max_steps=30, max_width=20, max_batch=8, gates=GATES):
    """Any problem within these bounds."""
    sizes = draw(
        st.lists(st.integers(1, max_width), min_size=2, max_size=max_layers + 1)
    )
    return make_problem(
        seed=draw(st.integers(0, 2**32 - 1)),
        sizes=sizes,
        T=draw(st.integers(1, max_steps)),
        S=draw(st.integers(1, max_batch)),
        neuron=draw(neurons(gates)),
    )


def assert_close(got, expected, what, tol=1e-12):
    """Compare arrays layer by layer, relative to the largest entry; say which layer differs."""
    assert len(got) == len(expected)
    for n in range(1, len(got)):
        atol = tol * max(np.abs(expected[n]).max(), 1e-3)
        where = f"{what}[{n}]"
        assert got[n].shape == expected[n].shape, where
        np.testing.assert_allclose(got[n], expected[n], 0, atol, err_msg=where)
