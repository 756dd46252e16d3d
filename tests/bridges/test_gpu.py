"""Layers on a GPU, and compiled: no copy to the host.

The device ``meta`` has no values. So whatever copies them to the host, or decides by them, fails
there, which needs no GPU. The last tests need one.
"""

import shutil
from functools import partial

import pytest
import torch
from torch import nn

from stbp_edu import LIF, derive
from stbp_edu.torch import LIFLayer, LIFNetwork, SurrogateOf
from tests.bridges.test_layers import assert_close, spikes

CLIPPED = "u = max(min(tau, 0.9) * u + x, -1); o = spike(u - 0.4)"
TWO_STATES = "i = 0.6 * i * (1 - o) + x; u = 0.8 * u + i; o = spike(u - 0.4)"


def two_layers(neuron, **given):
    """A network of two layers, always with the same weights."""
    torch.manual_seed(0)
    weights = [nn.Linear(6, 8), nn.Linear(8, 4)]
    layers = [LIFLayer(one, neuron, **given) for one in weights]
    return LIFNetwork(*layers).double()


NEURON = LIF(tau=0.7, v_th=0.4)
NETWORKS = {
    "exponential gate": partial(two_layers, NEURON),
    "classic": partial(two_layers, NEURON, rule="classic"),
    "learned and clipped": partial(
        two_layers, derive(CLIPPED, tau=0.7, learn=["tau"]), recurrent=True
    ),
    "gain limit of two states": partial(two_layers, derive(TWO_STATES), gain_limit=0.5),
    "another's surrogate": partial(
        two_layers, LIF(tau=0.7, v_th=0.4, surrogate=SurrogateOf(torch.sigmoid))
    ),
}
theirs = pytest.mark.filterwarnings("ignore")
"""Warnings of the compiler's own, and of what is new in PyTorch."""
each_network = pytest.mark.parametrize("make", NETWORKS.values(), ids=NETWORKS)


def whole(network, x):
    """The output of a series that comes whole."""
    return network(x)


def in_halves(network, x):
    """The same of one that comes in two parts, with a carried state."""
    first, state = network(x[:2], None)
    second, _ = network(x[2:], state)
    return torch.cat([first, second])


@each_network
@pytest.mark.parametrize("call", [whole, in_halves])
def test_nothing_is_copied_from_or_to_the_host(make, call):
    network, x = make().to("meta"), spikes().to("meta")
    output = call(network, x)
    output.sum().backward()
    assert output.shape == (5, 3, 4)
    assert {p.grad.device.type for p in network.parameters()} == {"meta"}


def found_by(call, network, x):
    """The output and all gradients, of a loss that weighs the steps."""
    output = call(network, x)
    steps = torch.arange(1.0, len(x) + 1).to(output)
    (output.sum((1, 2)) * steps).sum().backward()
    return [output.detach(), *(p.grad for p in network.parameters())]


@theirs
@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("exponential gate", in_halves),
        ("classic", whole),
        ("learned and clipped", whole),
    ],
)
def test_the_compiler_takes_a_network_that_never_ran(name, call, monkeypatch):
    """As one graph, even where the processor would go in loops; by C++, where there is one."""
    want = found_by(call, NETWORKS[name](), spikes())
    monkeypatch.setattr("stbp_edu.torch.tensor_loops.MUCH", 0)
    backend = "inductor" if name == "classic" and shutil.which("g++") else "aot_eager"
    network = torch.compile(NETWORKS[name](), fullgraph=True, backend=backend)
    assert_close(found_by(call, network, spikes()), want)


needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")


@needs_gpu
@each_network
@pytest.mark.parametrize("call", [whole, in_halves])
def test_a_gpu_computes_what_the_processor_does(make, call):
    want = found_by(call, make(), spikes())
    assert_close(found_by(call, make().cuda(), spikes().cuda()), want, rtol=1e-9)
