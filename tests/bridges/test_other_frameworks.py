"""The gradients of snnTorch and Norse, by their own autograd, are those of a rule of this package.

In float32, for the neurons that they have: what they compute is a second path to the truth.
"""

import warnings
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn

import stbp_edu
from stbp_edu import LIF, ATan, Params
from stbp_edu.torch import SurrogateOf

T, S, SIZES, ALPHA = 12, 5, (7, 10, 4), 2.0
TAU, V_TH = 0.8, 0.7
CURVE = ATan(2 / (np.pi * ALPHA))
"""snnTorch's ATan with its own α."""


def problem(seed):
    """Weights, an input and an error for each output, in float32."""
    rng = np.random.default_rng(seed)
    pairs = [*pairwise(SIZES)]
    W = [None, *(np.float32(rng.normal(0, 1.6 / np.sqrt(n), (m, n))) for n, m in pairs)]
    b = [None, *(np.float32(rng.normal(0.1, 0.1, m)) for _, m in pairs)]
    spikes = np.float32(rng.random((T, S, SIZES[0])) < 0.5)
    return Params(W=W, b=b), spikes, np.float32(rng.normal(size=(T, S, SIZES[-1])))


def linears(params):
    """The weights as modules of PyTorch."""
    made = []
    for W, b in zip(params.W[1:], params.b[1:], strict=True):
        linear = nn.Linear(W.shape[1], W.shape[0])
        linear.load_state_dict({"weight": torch.tensor(W), "bias": torch.tensor(b)})
        made.append(linear)
    return made


def theirs(params, spikes, error, cells):
    """Outputs, and gradients of Σ error · output, of one cell for each layer, step by step."""
    modules, states = linears(params), [None] * len(cells)
    outputs = []
    for o in torch.from_numpy(spikes):
        for n, (linear, cell) in enumerate(zip(modules, cells, strict=True)):
            o, states[n] = cell(linear(o), states[n])
        outputs.append(o)
    series = torch.stack(outputs)
    (series * torch.from_numpy(error)).sum().backward()
    grads = [
        (linear.weight.grad.numpy(), linear.bias.grad.numpy()) for linear in modules
    ]
    return series.detach().numpy(), grads


def ours(params, spikes, error, neuron, rule):
    """The same of this package."""
    net = stbp_edu.network(SIZES, neuron)
    trace = net.forward(params, spikes)
    loss = stbp_edu.losses.Direct(error)
    targets = np.zeros((S, SIZES[-1]), np.float32)
    found = net.backward(params, trace, targets, rule=rule, loss=loss)
    return trace.O[-1], list(zip(found.W[1:], found.b[1:], strict=True))


def assert_equal(mine, other):
    """Spikes equal, gradients equal to rounding in float32."""
    assert mine[0].any()
    np.testing.assert_array_equal(mine[0], other[0])
    for pair, expected in zip(mine[1], other[1], strict=True):
        for got, want in zip(pair, expected, strict=True):
            np.testing.assert_allclose(
                got, want, rtol=0, atol=2e-5 * np.abs(want).max()
            )


def snn_torch(reset, **more):
    """A cell of snnTorch for each layer."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the framework's own
        import snntorch
        from snntorch import surrogate
    curve = surrogate.atan(alpha=ALPHA)
    given = {
        "beta": TAU,
        "threshold": V_TH,
        "spike_grad": curve,
        "reset_mechanism": reset,
    }

    def cell():
        leaky = snntorch.Leaky(**given, **more)
        return lambda x, state: leaky(x, leaky.init_leaky() if state is None else state)

    return [cell() for _ in SIZES[1:]]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("reset", "gate"), [("subtract", "soft"), ("zero", "linear")])
def test_snntorch_s_leaky_has_the_detached_reset(reset, gate, seed):
    params, spikes, error = problem(seed)
    neuron = LIF(tau=TAU, v_th=V_TH, surrogate=CURVE, gate=gate)
    expected = theirs(params, spikes, error, snn_torch(reset))
    assert_equal(ours(params, spikes, error, neuron, "detached-reset"), expected)
    exact = ours(params, spikes, error, neuron, "exact")[1]
    differ = [
        np.abs(a - b).max() for a, b in zip(exact[0], expected[1][0], strict=True)
    ]
    assert max(differ) > 1e-3


def norse_cell():
    """A feed-forward cell of Norse, LIFBox, whose reset is differentiated."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from norse.torch.functional.lif_box import (
            LIFBoxFeedForwardState,
            LIFBoxParameters,
            lif_box_feed_forward_step,
        )
    p = LIFBoxParameters(
        tau_mem_inv=torch.tensor(1 - TAU), v_th=torch.tensor(V_TH), alpha=torch.tensor(100.0),
        method="super",
    )  # fmt: skip

    def step(x, state):
        start = (
            LIFBoxFeedForwardState(v=torch.zeros_like(x)) if state is None else state
        )
        return lif_box_feed_forward_step(x, start, p, dt=1.0)

    return step, p


@pytest.mark.parametrize("seed", range(5))
def test_norse_s_box_has_the_exact_rule(seed):
    """Its input is scaled by 1 - τ, which the weights here take over; its SuperSpike is scaled."""
    params, spikes, error = problem(seed)
    step, p = norse_cell()
    share = np.float32(1 - TAU)
    scaled = Params(
        W=[None, *(W / share for W in params.W[1:])],
        b=[None, *(b / share for b in params.b[1:])],
    )
    expected = theirs(scaled, spikes, error, [step, step])
    expected = expected[0], [(W / share, b / share) for W, b in expected[1]]

    def spike(v):
        from norse.torch.functional.threshold import threshold

        return threshold(v, p.method, p.alpha)

    neuron = LIF(tau=TAU, v_th=V_TH, surrogate=SurrogateOf(spike), gate="linear")
    found = ours(params, spikes, error, neuron, "exact")
    assert_equal(found, expected)
