"""The bridge's gradients are those of the package: every neuron, rule, surrogate and loss."""

import os
from functools import partial

import numpy as np
import pytest
import torch
from torch import nn

import stbp_edu
from stbp_edu import LIF, Gaussian, arrows, derive
from stbp_edu.arrows import RULES, in_blocks, with_gain_limit
from stbp_edu.case_rules import ABLATIONS
from stbp_edu.case_rules import CASE_RULES as PART_ONE
from stbp_edu.losses import LOSSES, Direct
from stbp_edu.neuron import GATES
from stbp_edu.parameters import by_layer
from stbp_edu.surrogates import SURROGATES
from stbp_edu.torch import LIFLayer, LIFNetwork, to_params
from stbp_edu.torch.currents import current_of
from stbp_edu.torch.layers import WHOLE, run_modules
from tests.arrows.oracle import error
from tests.derive.texts import BELL, assert_single, derived, run_of
from tests.networks import make_problem

QUICK = os.environ.get("STBP_EXAMPLES", "quick") == "quick"
NEURON = LIF(tau=0.9, v_th=0.5)
LIMITED = [with_gain_limit(0.5), with_gain_limit(1, "e-prop"), in_blocks(2, "classic")]


def gradients(network, loss):
    """The gradients of a loss in the form of the parameters."""
    network.zero_grad()
    loss.backward()
    named = dict(network.named_parameters())
    grads = {
        k: torch.zeros_like(p) if p.grad is None else p.grad for k, p in named.items()
    }
    return [*by_layer(to_params(grads))]


def rate(y, O, U):
    """The rate loss, or that of the mean of the potentials."""
    return ((y - O.mean(0)) ** 2).sum() / (2 * len(y))


def run_of_layers(network, inputs):
    """Every state of a network's run, in the form of arrows."""
    spikes = torch.from_numpy(inputs)
    with torch.no_grad():
        layers = run_modules(
            network, spikes, False, [WHOLE] * len(network), False
        ).layers
        below, runs = spikes, []
        for layer, states in layers:
            x = current_of(layer.weights, below)
            below = states[layer.steps.neuron.output]
            if layer.R is not None:
                x[1:] += below[:-1] @ layer.R.T
            runs.append({"x": x, **states})
    return {
        name: [
            inputs if name == "o" else None,
            *(s[name].numpy() if name in s else None for s in runs),
        ]
        for name in {"o", *runs[0]}
    }


@pytest.mark.parametrize("seed", range(3 if QUICK else 300))
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_random_lines_under_every_rule(seed, dtype):
    """Against arrows: recurrent layers, what is learned, read-outs that do not spike."""
    mine = derived(seed, spikes=seed % 7 > 0)
    net, params, *given = run_of(mine.neuron, seed)
    params = [
        None,
        *({k: np.asarray(v, dtype) for k, v in p.items()} for p in params[1:]),
    ]
    inputs, y = (array.astype(dtype) for array in given)
    trace = arrows.forward(net, params, inputs)
    for rule in (rule for rule in (*RULES.values(), *LIMITED) if rule.keeps(net)):
        network = LIFNetwork.from_params(params, mine, rule)
        ours = network.trace(torch.from_numpy(inputs))
        read = ours.O if net.loss.state == mine.neuron.output else ours.U
        loss = rate(torch.from_numpy(y), read[-1], None)
        if (
            dtype == np.float32
        ):  # of one run: in text 266 rounding grows from step to step
            trace = run_of_layers(network, inputs)
            assert_single(
                partial(gradients, network, loss), net, params, trace, y, rule
            )
            continue
        want = arrows.backward(net, params, trace, y, rule).gradients
        assert error(gradients(network, loss), want) < 1e-12, rule.name


entropy = nn.functional.cross_entropy
a, b = np.random.default_rng(0).normal(size=(2, 9, 5, 4))
WRITTEN = {  # each loss of the package as one writes it in PyTorch
    "rate": rate,
    "last-steps": lambda y, O, U: ((y - O[-1]) ** 2).sum() / (2 * len(y)),
    "membrane": lambda y, O, U: ((y - U[-1]) ** 2).sum() / (2 * len(y)),
    "cross-entropy": lambda y, O, U: entropy(O.mean(0), y),
    "step-cross-entropy": lambda y, O, U: entropy(O.flatten(0, 1), y.repeat(len(O), 1)),
    "both": lambda y, O, U: (torch.from_numpy(a) * O + torch.from_numpy(b) * U).sum(),
}


@pytest.mark.parametrize("rule", [*PART_ONE, *ABLATIONS])
@pytest.mark.parametrize("name", WRITTEN)
def test_losses_are_written_in_pytorch_and_have_the_package_s_gradient(name, rule):
    problem = make_problem(3, [6, 8, 4], 9, 5, NEURON)
    targets = np.eye(4)[[0, 1, 2, 3, 1]]
    network = LIFNetwork.from_params(problem.params, NEURON, rule)
    trace = network.trace(torch.from_numpy(problem.spikes))
    loss = WRITTEN[name](torch.from_numpy(targets), trace.O[-1], trace.U[-1])
    found = gradients(network, loss)
    read = LOSSES[name]() if name in LOSSES else Direct(a, b)
    want = stbp_edu.backward(problem.trace, targets, problem.params, NEURON, rule, read)
    assert error(found, [*by_layer(want)]) < 1e-12


class Half(Gaussian):
    """A curve of one's own, by its formula."""

    def h(self, v, xp):
        return super().h(v, xp) / 2


def test_a_curve_of_one_s_own_is_that_of_the_package():
    neuron = LIF(tau=0.7, v_th=0.5, surrogate=Half(0.5))
    problem = make_problem(3, [6, 8, 4], 9, 5, neuron)
    args = (problem.targets, problem.params, neuron)
    network = LIFNetwork.from_params(problem.params, neuron)
    read = network.trace(torch.from_numpy(problem.spikes)).O[-1]
    found = gradients(network, rate(torch.from_numpy(problem.targets), read, None))
    assert error(found, [*by_layer(stbp_edu.backward(problem.trace, *args))]) < 1e-12


ADAPTIVE = derive(
    "a = rho * a + o\nu = tau * exp(-o / tau) * u + x\no = spike(u - v_th - beta * a)",
    surrogate=BELL, learn=["tau"], learn_each=["beta"], tau=0.7, rho=0.8, beta=0.2, v_th=0.4,
)  # fmt: skip


@pytest.mark.parametrize(
    "neuron", [*(LIF(0.7, 0.5, BELL, gate) for gate in GATES), ADAPTIVE]
)
def test_gradcheck_passes_on_the_twin(neuron):
    """Finite differences of PyTorch's own, through input, weights and all that is learned."""
    torch.manual_seed(0)
    first = LIFLayer(nn.Linear(3, 4), neuron, recurrent=neuron is ADAPTIVE)
    network = LIFNetwork(first, LIFLayer(nn.Linear(4, 2), neuron)).double()
    names = [name for name, _ in network.named_parameters()]

    def twin(x, *parameters):
        fixed = dict(zip(names, parameters, strict=True))
        return torch.func.functional_call(network, fixed, x, {"twin": True})

    x = torch.rand(4, 2, 3, dtype=torch.float64)
    inputs = (
        x.requires_grad_(),
        *(p.detach().requires_grad_() for p in network.parameters()),
    )
    assert torch.autograd.gradcheck(twin, inputs)


@pytest.mark.parametrize("surrogate", SURROGATES)
def test_potentials_and_the_twin_are_those_of_the_package(surrogate):
    for gate in GATES:
        neuron = LIF(tau=0.7, v_th=0.5, surrogate=SURROGATES[surrogate](0.5), gate=gate)
        problem = make_problem(8, [5, 7, 3], 8, 4, neuron)
        network = LIFNetwork.from_params(problem.params, neuron)
        for twin in (False, True):
            spike = neuron.H if twin else None
            want = stbp_edu.forward(problem.spikes, problem.params, neuron, spike=spike)
            got = network.trace(torch.from_numpy(problem.spikes), twin=twin)
            pairs = zip(
                [*got.U[1:], *got.O[1:]], [*want.U[1:], *want.O[1:]], strict=True
            )
            for g, w in pairs:
                np.testing.assert_allclose(
                    g.detach().numpy(), w, rtol=1e-12, atol=1e-13
                )


def test_the_proof_judges_the_layers():
    proof = derive("u = 0.6 * u * (1 - o) + x\no = spike(u - 0.4)").prove(torch=True)
    assert proof.holds, str(proof)
    assert sum("PyTorch" in row.what for row in proof.rows) == 2
