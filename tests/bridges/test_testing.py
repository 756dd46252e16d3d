"""The assertions for others, on snnTorch, SpikingJelly and Norse: bugs are named."""

import warnings

import numpy as np
import pytest
import torch
from torch import nn

from stbp_edu import LIF, Gaussian, Rectangle, Sigmoid, derive
from stbp_edu.testing import assert_gradient, assert_rule, load_vectors
from stbp_edu.torch import LIFLayer
from tools.reference_vectors import PATH, vectors

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of the frameworks' own
    import norse.torch
    import snntorch
    from spikingjelly.activation_based import functional, neuron, surrogate

TAU, V_TH = 0.8, 0.6
CURVE = Sigmoid(0.25)


def spike(times=1.0):
    """A spike function whose derivative is that of the sigmoid, times a number."""
    return lambda v: _Spike.apply(v, times)


class _Spike(torch.autograd.Function):
    @staticmethod
    def forward(ctx, v, times):
        ctx.save_for_backward(v)
        ctx.times = times
        return (v >= 0).to(v)

    @staticmethod
    def backward(ctx, grad):
        (v,) = ctx.saved_tensors
        return ctx.times * grad * CURVE.h(v, torch), None


def in_snntorch(curve=None, leak_on_input=False, **options):
    def run(x):
        leaky = snntorch.Leaky(
            TAU, threshold=V_TH, spike_grad=curve or spike(), **options
        )
        mem, spikes = leaky.reset_mem(), []
        for current in x:
            one, mem = leaky(TAU * current if leak_on_input else current, mem)
            spikes.append(one)
        return torch.stack(spikes)

    return run


class LeakOnTheInput(neuron.SimpleLIFNode):
    """The input joins the potential before the leak."""

    def neuronal_charge(self, x):
        self.v = (self.v + x) * TAU


def in_spikingjelly(curve=None, of=neuron.LIFNode, **options):
    curve = curve or surrogate.Sigmoid(alpha=4.0)

    def run(x):
        node = of(5.0, False, V_TH, surrogate_function=curve, step_mode="s", **options)
        return torch.stack([node(now) for now in x])

    return run


def detaching(z, v, v_reset, v_th):
    return (1 - z.detach()) * v + z.detach() * v_reset


def in_norse(alpha=2.0, **options):
    number = torch.tensor
    box = norse.torch.LIFBoxParameters(
        tau_mem_inv=number(200.0), v_leak=number(0.0), v_th=number(V_TH),
        v_reset=number(0.0), method="heavi_erfc", alpha=alpha, **options,
    )  # fmt: skip

    def run(x):
        cell, state, spikes = norse.torch.LIFBoxCell(box, dt=0.001), None, []
        for current in x:
            one, state = cell(5 * current, state)
            spikes.append(one)
        return torch.stack(spikes)

    return run


def last_step_detached(x):
    *before, last = in_spikingjelly()(x)
    return torch.stack([*before, last.detach()])


SNN = LIF(TAU, V_TH, CURVE, "soft")
JELLY = LIF(TAU, V_TH, CURVE, "linear")
NORSE = LIF(TAU, V_TH, Gaussian(1 / 8), "linear")
RIGHT = [
    (in_snntorch(), SNN, "detached-reset"),
    (in_snntorch(reset_mechanism="zero", reset_delay=False), JELLY, "exact"),
    (in_spikingjelly(), JELLY, "exact"),
    (in_spikingjelly(detach_reset=True), JELLY, "detached-reset"),
    (in_norse(), NORSE, "exact"),
]


@pytest.mark.parametrize(("run", "claimed", "rule"), RIGHT)
def test_right_neurons_pass(run, claimed, rule):
    assert_gradient(run, claimed, rule)


DETACHED = "exact was claimed: {} gate, detached-reset = "
LEAK_ON_INPUT = "exact was claimed: {} gate with a leak on the input, too, exact"
SURROGATE = r"The surrogate is not Sigmoid\(a=0.25\), or the threshold is another"
right = in_spikingjelly()
BUGS = [
    (in_snntorch(), SNN, DETACHED.format("soft")),
    (in_snntorch(spike(0.3)), SNN, SURROGATE),
    (in_snntorch(leak_on_input=True), SNN, LEAK_ON_INPUT.format("soft").split(", exact")[0]),
    (in_snntorch(reset_mechanism="zero"), SNN, "soft, exact was claimed: linear gate"),
    (in_spikingjelly(detach_reset=True), JELLY, DETACHED.format("linear")),
    (in_spikingjelly(of=LeakOnTheInput), JELLY, LEAK_ON_INPUT.format("linear")),
    (in_spikingjelly(v_reset=None), JELLY, "claimed: soft reset within the step, exact"),
    (in_spikingjelly(surrogate.Sigmoid(alpha=5.0)), JELLY, SURROGATE),
    (in_norse(reset_method=detaching), NORSE, DETACHED.format("linear")),
    (in_norse(alpha=3.0), NORSE, "The surrogate is not Gaussian"),
    (right, LIF(TAU, V_TH * 1.001, CURVE, "linear"), SURROGATE),
    (lambda x: right(x) * torch.where(x > 1.2, torch.nan, 1.0), JELLY,
     "the outputs of run must be finite, got nan at index"),
    (lambda x: (right(x), 0), JELLY, "what run returns must be .*got tuple"),
    (lambda x: right(x)[..., :2], JELLY, r"must have shape \(T, S, n\) = "),
    (lambda x: right(x).detach(), JELLY, "must have a gradient.*leave out no_grad and detach"),
    (last_step_detached, JELLY, "must have a gradient.*leave out no_grad and detach"),
]  # fmt: skip


@pytest.mark.parametrize(("run", "claimed", "said"), BUGS)
def test_planted_bugs_are_named(run, claimed, said):
    with pytest.raises((AssertionError, TypeError, ValueError), match=said):
        assert_gradient(run, claimed)


def test_states_that_are_kept_are_named_first():
    node = neuron.LIFNode(5.0, False, V_TH, step_mode="m")
    with pytest.raises(ValueError, match="begin each run from rest"):
        assert_gradient(node, JELLY)
    functional.reset_net(node)


def test_any_neuron_and_rule_of_the_bridge():
    lines = "i = 0.7 * i + x; u = 0.8 * u * (1 - o) + i; o = spike(u - 0.6)"
    for claimed in (derive(lines, surrogate=CURVE), derive("u = 0.9 * u + x")):
        layer = LIFLayer(nn.Identity(), claimed, "spatial-only")
        assert_gradient(layer, claimed, "spatial-only")
        with pytest.raises(
            AssertionError, match="lines, exact was claimed: spatial-only"
        ):
            assert_gradient(layer, claimed)


def test_the_rule_of_a_network():
    torch.manual_seed(0)
    linears = nn.Sequential(nn.Linear(6, 12), nn.Linear(12, 4))
    for p in linears.parameters():
        p.data *= 2
    x = (torch.rand(10, 3, 6) < 0.5).float()
    node = in_spikingjelly(detach_reset=True)

    def run(x):
        for linear in linears:
            x = node(linear(x))
        return x

    assert_rule(linears, run, x, JELLY, "detached-reset")
    said = "linear, exact was claimed: linear gate, detached-reset."
    with pytest.raises(AssertionError, match=said):
        assert_rule(linears, run, x, JELLY)


def test_the_vectors_are_those_of_the_script():
    """Whose gradients are the package's; each layer spikes."""
    with np.load(PATH) as file:
        for name, array in vectors().items():
            expected = np.asarray(array)
            if expected.dtype.kind in "US":
                assert file[name].tolist() == expected.tolist()
            else:
                np.testing.assert_allclose(file[name], expected, rtol=1e-12, atol=1e-15)
    for case in load_vectors(PATH):
        assert case["spikes1"].mean() > 0.15 < case["spikes2"].mean()


def test_bad_input_is_named(tmp_path):
    with np.load(PATH) as file:
        arrays = dict(file)
    arrays["grad_W1"][3, 0, 0] = np.nan
    np.savez(tmp_path / "vectors.npz", **arrays)
    with pytest.raises(ValueError, match="grad_W1 must be finite, got nan at index"):
        load_vectors(tmp_path / "vectors.npz")
    with pytest.raises(ValueError, match=r"rule must be one of 'exact', .* got 'foo'"):
        assert_rule(nn.Linear(2, 2), pytest.fail, torch.ones(2, 1, 2), JELLY, "foo")
    with pytest.raises(ValueError, match="scale must be"):
        assert_gradient(in_spikingjelly(), JELLY, scale=-1)


@pytest.mark.parametrize(
    ("v_th", "a"), [(15, 0.5), (15, 0.005), (0.6, 0.05), (0.6, 0.02), (5, 1)]
)
def test_a_detached_reset_is_never_called_exact_however_narrow_the_surrogate(v_th, a):
    claimed = LIF(0.9, v_th, Rectangle(a), "linear")
    run = LIFLayer(nn.Identity(), claimed, "detached-reset")
    wrong = "exact was claimed|must have a surrogate that tells|or widen the surrogate"
    with pytest.raises((AssertionError, ValueError), match=wrong):
        assert_gradient(run, claimed)
