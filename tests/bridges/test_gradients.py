"""The bridge's gradients are those of the package: every neuron, rule, surrogate and loss."""

import pytest
import torch
from torch import nn

from stbp_edu import derive
from stbp_edu.parameters import by_layer
from stbp_edu.program.in_loops import installed
from stbp_edu.torch import to_params
from stbp_edu.torch.currents import current_of, places_for


def gradients(network, loss):
    """The gradients of a loss in the form of the parameters."""
    network.zero_grad()
    loss.backward()
    named = dict(network.named_parameters())
    grads = {
        k: torch.zeros_like(p) if p.grad is None else p.grad for k, p in named.items()
    }
    return [*by_layer(to_params(grads))]


@pytest.mark.skipif(not installed(), reason="needs Numba")
@pytest.mark.parametrize(
    ("dtype", "bias"), [(torch.float32, True), (torch.float64, False)]
)
def test_a_matrix_spike_by_spike_is_the_matrix(dtype, bias, monkeypatch):
    linear = nn.Linear(70, 400, bias, dtype=dtype)
    spikes = (torch.rand(5, 4, 70) < 0.1).to(dtype).requires_grad_()
    above, found = torch.randn(5, 4, 400, dtype=dtype), []
    for much in (0, 10**9):
        monkeypatch.setattr("stbp_edu.torch.currents.MUCH", much)
        assert (places_for(linear, spikes) is not None) == (much == 0)
        assert places_for(linear, spikes + 0.5) is None
        x = current_of(linear, spikes)
        given = [spikes, *linear.parameters()]
        found.append([x, *torch.autograd.grad((x * above).sum(), given)])
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other)


def rate(y, O):
    """The rate loss, or that of the mean of the potentials."""
    return ((y - O.mean(0)) ** 2).sum() / (2 * len(y))


def test_the_proof_judges_the_layers():
    proof = derive("u = 0.6 * u * (1 - o) + x\no = spike(u - 0.4)").prove(torch=True)
    assert proof.holds, str(proof)
    assert sum("PyTorch" in row.what for row in proof.rows) == 2
