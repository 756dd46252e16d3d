"""Layers of PyTorch in compiled loops: the same outputs and gradients as on tensors."""

import numpy as np
import pytest
import torch

from stbp_edu import LIF
from stbp_edu.program.executor import Executor
from stbp_edu.program.in_loops import ByPython, installed
from stbp_edu.torch import LIFNetwork
from stbp_edu.torch.tensor_loops import TensorLoops
from tests.bridges import test_any_rule
from tests.networks import make_problem

pytestmark = pytest.mark.skipif(not installed(), reason="needs Numba")
NEURON = LIF(tau=0.7, v_th=0.5)


@pytest.fixture
def run_by_python(monkeypatch):
    """Small layers go in loops, too, which Python runs: compiling each would take seconds."""
    monkeypatch.setattr(TensorLoops, "made", staticmethod(ByPython.made))
    monkeypatch.setattr("stbp_edu.torch.tensor_loops.MUCH", 0)


@pytest.mark.parametrize("seed", range(24))
@pytest.mark.usefixtures("run_by_python")
def test_a_drawn_rule(seed):
    test_any_rule.test_any_rule_on_drawn_layers(seed)


def kinds(network):
    """What runs the steps of a network's layers."""
    every = [
        (layer.steps, run) for layer in network for run in layer.steps.made.values()
    ]
    return {type(run) for steps, run in every if run is not steps.compiled}


@pytest.mark.parametrize(
    ("dtype", "recurrent"), [(torch.float32, True), (torch.float64, False)]
)
def test_large_layers_are_compiled_and_small_ones_are_not(
    dtype, recurrent, monkeypatch
):
    """The error that comes from outside stays as it was."""
    params = make_problem(3, [6, 40, 30], 5, 3, NEURON).params
    if recurrent:
        params.R[1] = np.random.default_rng(0).normal(size=(40, 40)) / 9
    spikes = (torch.rand(5, 3, 6, generator=torch.manual_seed(0)) < 0.5).to(dtype)
    above = torch.randn(5, 3, 30, dtype=dtype)
    found = []
    for much, kind in ((0, TensorLoops), (10**9, Executor)):
        monkeypatch.setattr("stbp_edu.torch.tensor_loops.MUCH", much)
        network = LIFNetwork.from_params(params, NEURON).to(dtype)
        given = above.clone()
        output = network(spikes)
        output.backward(given)
        assert torch.equal(given, above)
        assert kinds(network) == {kind}
        found.append([output, *(p.grad for p in network.parameters())])
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other)
