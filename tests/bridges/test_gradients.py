"""The bridge's gradients are those of ``stbp_edu.backward``: every rule, gate, surrogate, loss."""

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings

import stbp_edu
from stbp_edu import LIF, Gaussian
from stbp_edu.arrays import tensors
from stbp_edu.losses import LOSSES
from stbp_edu.neuron import GATES
from stbp_edu.rules import ABLATIONS, RULES
from stbp_edu.surrogates import SURROGATES
from stbp_edu.torch import LIFNetwork
from tests.networks import make_problem, problems

LIMIT = {np.float64: 1e-12, np.float32: 1e-5}
EXAMPLES = 40  # for each rule and each type of floats
NEURON = LIF(tau=0.9, v_th=0.5)


def rounding_decides(problem):
    """Return whether a potential is so near the threshold, or a corner of h, that rounding decides.

    Then two right answers may differ by a whole spike, in float32 once in some hundred networks.
    """
    corner = max(problem.neuron.surrogate.joints, default=0.0)
    scale = 2e-5 if problem.params.dtype == np.float32 else 1e-13
    for u in problem.trace.U[1:]:
        v = np.abs(u - problem.neuron.v_th)
        if min(v.min(), np.abs(v - corner).min()) < scale * max(1, np.abs(u).max()):
            return True
    return False


def gradients(network, problem, value):
    """Return dL/dW1, dL/db1, ... of the network for a loss of its trace."""
    network.zero_grad()
    value(network.trace(torch.from_numpy(problem.spikes))).backward()
    return [p.grad.numpy() for p in network.parameters()]


def distance(got, want):
    """Return the largest difference of any array, relative to its largest entry."""
    pairs = zip(got, tensors(want).values(), strict=True)
    return max(np.abs(g - w).max() / max(np.abs(w).max(), 1e-3) for g, w in pairs)


@pytest.mark.parametrize("gate", GATES)
@pytest.mark.parametrize("rule", [*RULES, *ABLATIONS])
def test_a_gain_limit_gives_the_gradients_of_the_package(rule, gate):
    problem = make_problem(5, [4, 6, 3], 8, 3, LIF(0.9, 1.0, Gaussian(0.02), gate))
    y, run = torch.from_numpy(problem.targets), (problem.trace, *problem[1:], rule)
    for limit in (0.5, 1.0):
        network = LIFNetwork.from_params(problem.params, problem.neuron, rule, limit)
        got = gradients(network, problem, lambda t: ((t.O[-1].mean(0) - y) ** 2).sum() / 6)
        assert distance(got, stbp_edu.backward(*run, gain_limit=limit)) < 1e-12


@pytest.mark.parametrize("dtype", LIMIT)
@pytest.mark.parametrize("rule", [*RULES, *ABLATIONS])
def test_gradients_equal_those_of_the_package_on_random_networks(rule, dtype):
    moved = []

    @settings(max_examples=EXAMPLES)
    @given(problems(dtype=dtype))
    def equal(problem):
        assume(not rounding_decides(problem))
        network = LIFNetwork.from_params(problem.params, problem.neuron, rule)
        y = torch.from_numpy(problem.targets)
        got = gradients(network, problem, lambda trace: WRITTEN["rate"](y, trace.O[-1], None))
        want = stbp_edu.backward(problem.trace, *problem[1:], rule)
        assert distance(got, want) <= LIMIT[dtype]
        moved.append(any(g.any() for g in got))

    equal()
    assert np.mean(moved) > 0.5  # a gradient of 0 would prove nothing


entropy = torch.nn.functional.cross_entropy
WRITTEN = {  # each loss of the package as one writes it in PyTorch
    "rate": lambda y, O, U: ((y - O.mean(0)) ** 2).sum() / (2 * len(y)),
    "last-steps": lambda y, O, U: ((y - O[-1]) ** 2).sum() / (2 * len(y)),
    "membrane": lambda y, O, U: ((y - U[-1]) ** 2).sum() / (2 * len(y)),
    "cross-entropy": lambda y, O, U: entropy(O.mean(0), y),
    "step-cross-entropy": lambda y, O, U: entropy(O.flatten(0, 1), y.repeat(len(O), 1)),
}


@pytest.mark.parametrize("rule", [*RULES, *ABLATIONS])
@pytest.mark.parametrize("name", LOSSES)
def test_other_losses_are_written_in_pytorch_and_have_the_package_s_gradient(name, rule):
    problem = make_problem(3, [6, 8, 4], 9, 5, NEURON)
    targets = np.eye(4)[[0, 1, 2, 3, 1]]
    y = torch.from_numpy(targets)
    network = LIFNetwork.from_params(problem.params, NEURON, rule)
    got = gradients(network, problem, lambda t: WRITTEN[name](y, t.O[-1], t.U[-1]))
    want = stbp_edu.backward(problem.trace, targets, problem.params, NEURON, rule, LOSSES[name]())
    assert distance(got, want) < 1e-12


def test_a_loss_of_spikes_and_potentials_adds_both():
    problem = make_problem(3, [6, 8, 4], 9, 5, NEURON)
    both = np.random.default_rng(0).normal(size=(2, *problem.trace.O[-1].shape))
    a, b = map(torch.from_numpy, both)
    network = LIFNetwork.from_params(problem.params, NEURON)
    got = gradients(network, problem, lambda t: (a * t.O[-1]).sum() + (b * t.U[-1]).sum())
    loss = stbp_edu.losses.Direct(*both)
    want = stbp_edu.backward(problem.trace, None, problem.params, NEURON, "exact", loss)
    assert distance(got, want) < 1e-12


@pytest.mark.parametrize("gate", GATES)
@pytest.mark.parametrize("name", ["sigmoid", "gaussian", "triangle"])
def test_gradcheck_passes_on_the_twin(name, gate):
    """Finite differences of PyTorch's own, through weights, biases and input."""
    neuron = LIF(tau=0.7, v_th=0.5, surrogate=SURROGATES[name](0.5), gate=gate)
    problem = make_problem(5, [3, 4, 2], 4, 2, neuron)
    network = LIFNetwork.from_params(problem.params, neuron)
    names = [name for name, _ in network.named_parameters()]
    x = torch.rand(problem.spikes.shape, dtype=torch.float64, generator=torch.manual_seed(0))

    def twin(x, *parameters):
        fixed = dict(zip(names, parameters, strict=True))
        return torch.func.functional_call(network, fixed, x, {"twin": True})

    inputs = (x.requires_grad_(), *(p.detach().requires_grad_() for p in network.parameters()))
    assert torch.autograd.gradcheck(twin, inputs)


@pytest.mark.parametrize("gate", GATES)
@pytest.mark.parametrize("surrogate", SURROGATES)
def test_spikes_potentials_and_the_twin_are_those_of_the_package(surrogate, gate):
    neuron = LIF(tau=0.7, v_th=0.5, surrogate=SURROGATES[surrogate](0.5), gate=gate)
    problem = make_problem(8, [5, 7, 3], 8, 4, neuron)
    network = LIFNetwork.from_params(problem.params, neuron)
    for twin in (False, True):
        spike = neuron.H if twin else None
        want = stbp_edu.forward(problem.spikes, problem.params, neuron, spike=spike)
        got = network.trace(torch.from_numpy(problem.spikes), twin=twin)
        for n in (1, 2):
            for g, w in ((got.U[n], want.U[n]), (got.O[n], want.O[n])):
                np.testing.assert_allclose(g.detach().numpy(), w, rtol=1e-12, atol=1e-13)
