"""Who takes what: every entry point, and every kind of neuron and layer that one may bring.

A yes works; a no says in one sentence what to do. `python -m tests.bridges.test_who_takes_what`
prints the table.
"""

from __future__ import annotations

import contextlib
import io
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import stbp_edu
from stbp_edu import LIF, derive, nir
from stbp_edu.arrows import classify
from stbp_edu.arrows.any_neuron import as_neuron, as_text
from stbp_edu.cli.main import main
from stbp_edu.torch import LIFLayer, LIFNetwork, which_rule
from stbp_edu.training import Settings
from stbp_edu.training.model import initial_params
from stbp_edu.verify.proof import prove

TEXT = "u = 0.9 * u * (1 - o) + x; o = spike(u - 0.5)"
READ_OUT = "u = 0.9 * u + x"
PLAIN = LIF(tau=0.9, v_th=0.5, gate="linear")
DERIVED = derive("u = tau * u * (1 - o) + x; o = spike(u - v_th)", tau=0.9, v_th=0.5)
KINDS: dict[str, tuple[str, Any]] = {
    "text": ("4-6-3", TEXT),
    "derive(...)": ("4-6-3", DERIVED),
    "LIF": ("4-6-3", PLAIN),
    "one per layer": ("4-6-3", [DERIVED, PLAIN]),
    "read-out": ("4-6-3", [DERIVED, READ_OUT]),
    "convolution": ("4x4-2C3-3", DERIVED),
    "recurrent": ("4-6R-3", DERIVED),
}
"""By kind, sizes and neuron."""


def drawn(sizes, neuron):
    """Return a network, its parameters and an input on which every layer spikes."""
    net = stbp_edu.network(sizes, neuron)
    rng = np.random.default_rng(0)
    params = net.init(rng, scale=2.0)
    spikes = (rng.random((8, 3, *net.table.shape)) < 0.6).astype(float)
    return net, params, spikes, np.eye(3)


def front_door(sizes, neuron):
    net, params, spikes, targets = drawn(sizes, neuron)
    grads = net.backward(net.forward(spikes, params), targets, params, "e-prop")
    assert np.abs(grads.W[1]).max() > 0


def readable_forward(sizes, neuron):
    _, params, spikes, _ = drawn(sizes, neuron)
    stbp_edu.forward(spikes, params, neuron)


def readable_backward(sizes, neuron):
    net, params, spikes, targets = drawn(sizes, neuron)
    stbp_edu.backward(net.forward(spikes, params), targets, params, neuron)


def asked(sizes, neuron):
    """Ask which rule a network in PyTorch has."""
    _, params, spikes, _ = drawn(sizes, neuron)
    both = neuron if isinstance(neuron, list) else [neuron, neuron]
    if "C" in sizes:
        torch.manual_seed(0)
        first = LIFLayer(nn.Conv2d(1, 2, 3), both[0])
        second = LIFLayer(nn.Sequential(nn.Flatten(), nn.Linear(8, 3)), both[1])
        net = LIFNetwork(first, second).double()
        for weights in net.parameters():
            weights.data.mul_(3)  # the last layer has to spike, too
    else:
        net = LIFNetwork.from_params(params, neuron)
    given = tuple(neuron) if isinstance(neuron, list) else neuron
    found = which_rule(net, net, torch.tensor(spikes), given, sizes=sizes)
    assert "exact" in [rule for _, rule in found.rules], found


def classified(sizes, neuron):
    found = classify(stbp_edu.backward, neuron)
    assert str(found) == "equals exact"


def proved(_, neuron):
    assert prove(neuron).holds


def layer(sizes, neuron):
    one = neuron[0] if isinstance(neuron, list) else neuron
    if "C" in sizes:
        out = LIFLayer(nn.Conv2d(1, 2, 3), one)(torch.rand(5, 2, 1, 4, 4))
    else:
        out = LIFLayer(nn.Linear(4, 6), one, recurrent="R" in sizes)(
            torch.rand(5, 2, 4)
        )
    out.sum().backward()
    if isinstance(neuron, list):
        LIFLayer(nn.Linear(6, 3), neuron[1])(out.detach())


def of_params(sizes, neuron):
    net, params, spikes, _ = drawn(sizes, neuron)
    found = LIFNetwork.from_params(params, neuron)(torch.tensor(spikes))
    expected = net.forward(spikes, params).O[-1]
    np.testing.assert_allclose(found.detach().numpy(), expected, rtol=1e-12)


def settings(sizes, neuron):
    given: dict[str, Any] = {"neuron": neuron}
    if isinstance(neuron, list):
        given = {"neuron": neuron[0], "readout": neuron[1]}
    first, *hidden, _ = sizes.split("-")
    made = Settings(
        hidden=tuple(int(p) if p.isdecimal() else p for p in hidden), **given
    )
    shape = (4, 4) if "x" in first else (2, 2)
    assert initial_params(made, shape, 3, np.random.default_rng(0)).N == 2


def graph(sizes, neuron):
    net, params, spikes, _ = drawn(sizes, neuron)
    found, read = nir.from_graph(nir.to_graph(params, neuron))
    again = stbp_edu.network(sizes, read).forward(found, spikes)
    expected = net.forward(spikes, params).O[-1]
    np.testing.assert_allclose(again.O[-1], expected, rtol=1e-9, atol=1e-9)


def shell(sizes, neuron):
    """Train for an epoch by the command line."""
    rng, labels = np.random.default_rng(0), np.arange(30) % 3
    values = rng.random((30, 4, 4) if "x" in sizes else (30, 2, 2)).astype(np.float32)
    words = ["--T", "3", "--epochs", "1", "--batch", "10"]
    _, *hidden, _ = sizes.split("-")
    both = neuron if isinstance(neuron, list) else [neuron]
    if isinstance(both[0], LIF):
        words += [
            "--tau",
            f"{both[0].tau}",
            "--v-th",
            f"{both[0].v_th}",
            "--gate",
            both[0].gate,
        ]
    else:
        words += ["--neuron", as_text(as_neuron(both[0]))]
    if len(both) > 1:
        words += ["--readout", as_text(as_neuron(both[1]))]
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "own.npz"
        np.savez(data, images=values, labels=labels)
        words += [
            "--npz",
            str(data),
            "--hidden",
            ",".join(hidden),
            "--out",
            f"{folder}/run",
        ]
        with contextlib.redirect_stdout(io.StringIO()):
            assert main(["train", *words]) == 0


ENTRIES: dict[str, Callable[[str, Any], Any]] = {
    "network": front_door,
    "stbp_edu.forward": readable_forward,
    "stbp_edu.backward": readable_backward,
    "which_rule": asked,
    "classify": classified,
    "prove": proved,
    "LIFLayer": layer,
    "from_params": of_params,
    "Settings": settings,
    "NIR": graph,
    "command line": shell,
}
NO: dict[tuple[str, str], str] = {
    **{
        ("stbp_edu.forward", kind): r"build stbp_edu\.network"
        for kind in KINDS
        if kind != "LIF"
    },
    **{
        ("stbp_edu.backward", kind): r"build stbp_edu\.network"
        for kind in KINDS
        if kind != "LIF"
    },
    **{
        ("classify", kind): r"ask stbp_edu\.torch\.which_rule"
        for kind in KINDS
        if kind != "LIF"
    },
    **{
        ("prove", kind): "prove them one at a time"
        for kind in ("one per layer", "read-out")
    },
    ("from_params", "convolution"): "fully connected layers",
    ("NIR", "convolution"): "fully connected layers",
}
"""What is not taken, and what the error says to do."""
OF_A_NEURON = ("prove", "classify")
"""Entry points to which a convolution or a recurrent layer makes no difference."""
CASES = [
    (entry, kind)
    for entry in ENTRIES
    for kind in KINDS
    if not (entry in OF_A_NEURON and kind in ("convolution", "recurrent"))
]


@pytest.mark.parametrize(("entry", "kind"), CASES)
def test_every_yes_works_and_every_no_says_what_to_do(entry, kind):
    if (entry, kind) not in NO:
        ENTRIES[entry](*KINDS[kind])
        return
    with pytest.raises((TypeError, ValueError), match=NO[entry, kind]) as caught:
        ENTRIES[entry](*KINDS[kind])
    assert "\n" not in str(caught.value)


if __name__ == "__main__":
    for entry, kind in CASES:
        try:
            ENTRIES[entry](*KINDS[kind])
            said = "yes"
        except (TypeError, ValueError) as error:
            said = f"no: {error}"
        print(f"{entry:18} {kind:14} {said}", flush=True)
