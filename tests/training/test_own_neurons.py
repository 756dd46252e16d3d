"""Neurons from forward lines, recurrent layers and every rule in a run: trained, saved, resumed."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from stbp_edu import LIF, arrows
from stbp_edu.arrays import DerivedParams, by_layer, tensors
from stbp_edu.arrows import lif_lines
from stbp_edu.cli.main import main
from stbp_edu.cli.train import add_arguments, chosen_settings
from stbp_edu.files import load_params, read_json, save_params
from stbp_edu.rules import RULES
from stbp_edu.training import Epoch, Settings, evaluate, initial_state, train
from stbp_edu.training.model import backend_of, network_of, passes
from stbp_edu.training.runs import Checkpoint, open_run
from stbp_edu.training.runs.checkpoint import load_checkpoint, save_checkpoint
from stbp_edu.training.settings import TRAINED
from stbp_edu.training.training_job import TEST, TrainingJob, stream
from tests.runs import bits

ADAPTIVE = """
alpha = 0.5; rho = 0.95
beta = 0.3  # how much a spike raises the threshold
i = alpha * i + x
a = rho * a + o
u = tau * u + i - v_th * o
o = spike(u - v_th - beta * a)
"""
OWN = {
    "neuron": ADAPTIVE, "hidden": (12, "8R"), "tau": 0.8, "loss": "membrane", "read": 3,
    "learn": ("tau", "rho"), "learn_each": ("beta",),
}  # fmt: skip


def gradient(settings: Settings, data, state=None) -> dict[str, np.ndarray]:
    """Return the gradient of a run's first step."""
    job, taken = TrainingJob(settings, data, state or initial_state(settings, data)), []
    job.update = lambda grads, lr: taken.append(tensors(grads))  # type: ignore[method-assign]
    job.begin_epoch(0)
    job.step(0, 0.0)
    return taken[0]


@pytest.mark.parametrize("gate", ["exponential", "linear", "soft"])
@pytest.mark.parametrize("rule", RULES)
def test_part_ones_neuron_as_a_text_has_the_engines_gradient(rule, gate, small, few) -> None:
    plain = replace(small, rule=rule, gate=gate, tau=0.5, init_scale=0.5)
    written = replace(plain, neuron=lif_lines(LIF(gate=gate)), gate="exponential")
    state = initial_state(written, few)
    want = gradient(plain, few, replace(state, params=initial_state(plain, few).params))
    found = gradient(written, few)
    assert all(want[name].any() for name in want)
    for name, array in want.items():
        np.testing.assert_allclose(found[name], array, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("limit", [0.0, 0.3])
@pytest.mark.parametrize("rule", [*TRAINED, "truncated-3"])
def test_every_rule_trains_a_recurrent_network_of_adaptive_neurons(rule, limit, small, few) -> None:
    settings = replace(small, rule=rule, gain_limit=limit, **OWN)
    state = initial_state(settings, few)
    found = gradient(settings, few, state)
    net = network_of(settings, state.params.shape)
    job = TrainingJob(settings, few, state)
    job.begin_epoch(0)
    images, targets = job._batch(0)
    inputs = job.encode(images).astype(float)
    params = [
        None,
        *({k: a.astype(float) for k, a in p.items()} for p in by_layer(state.params)[1:]),
    ]
    trace = arrows.forward(net, params, inputs)
    want = arrows.backward(net, params, trace, targets.astype(float), settings.make_rule())
    for name, array in tensors(want.gradients).items():
        scale = np.abs(array).max() + 1e-9
        np.testing.assert_allclose(found[name] / scale, array / scale, atol=1e-4, err_msg=name)


@pytest.mark.parametrize(
    "changes",
    [
        OWN,
        {"hidden": ("20R",), "dropout": 0.3},
        {"hidden": ("2C3", "P2", "12R"), "encoder": "direct", "learn": ("v_th",)},
        {"neuron": "u = 0.5 * u * (1 - o) + x; o = spike(u - 1)", "readout": "u = 0.9 * u + x"},
    ],
    ids=["adaptive", "recurrent, dropout", "convolution", "read-out"],
)
def test_runs_learn_and_go_on_bit_for_bit(changes, small, few, tmp_path: Path) -> None:
    settings = replace(
        small,
        **{"epochs": 5, "lr": 1e-2, "init_scale": 0.5, "batch": 40, "averaging": 0.5, **changes},
    )
    first, *_, whole = (e for e in train(settings, few) if isinstance(e, Epoch))
    assert whole.loss < 0.95 * first.loss
    assert isinstance(first.state.params, DerivedParams)
    for name, array in tensors(initial_state(settings, few).params).items():
        assert (tensors(whole.state.params)[name] != array).any() or name == "rho.3", name
    path = tmp_path / "c.npz"
    save_checkpoint(path, Checkpoint(settings, "", first.state, []))
    *_, resumed = (
        e for e in train(settings, few, load_checkpoint(path).state) if isinstance(e, Epoch)
    )
    assert bits(resumed.state.kept) == bits(whole.state.kept)
    save_params(tmp_path / "p.npz", whole.state.kept)
    found, rng = load_params(tmp_path / "p.npz"), stream(settings, TEST, 5)
    assert bits(found) == bits(whole.state.kept)
    assert evaluate(found, few.test_images, few.test_labels, settings, rng).mean == whole.test
    other = replace(settings, hidden=(9,), T_test=0, encoder="bernoulli", dropout=0.0)
    with pytest.raises(ValueError, match=r"params must be of a network with hidden layers \(9,\)"):
        list(train(other, few, first.state))


@pytest.mark.slow
def test_compiled_loops_have_the_gradient_of_arrays(small, few) -> None:
    pytest.importorskip("numba")
    for changes in ({}, {"rule": "classic", **OWN}):
        ways = [replace(small, **changes, backend=backend) for backend in ("numpy", "compiled")]
        want, found = (gradient(settings, few) for settings in ways)
        for name, array in want.items():
            np.testing.assert_allclose(found[name], array, rtol=1e-3, atol=1e-6, err_msg=name)
        assert [backend_of(initial_state(s, few).params, s) for s in ways] == ["numpy", "compiled"]


@pytest.mark.slow
def test_the_command_takes_lines_or_a_file_and_a_plan_both(tmp_path: Path, capsys) -> None:
    (tmp_path / "adaptive.txt").write_text(ADAPTIVE)
    common = ["--epochs", "1", "--T", "4", "--batch", "100", "--encodings", "1", "--hidden", "10R"]
    given = ["--neuron", str(tmp_path / "adaptive.txt"), "--learn", "tau,rho", "--rule", "e-prop"]
    argv = ["train", "digits", *common, *given, "--out", str(tmp_path / "runs")]
    assert main(argv) == 0
    assert main([*argv, "--resume"]) == 0  # the very same run
    run = open_run(tmp_path / "runs" / "e-prop")
    assert run.params.shape == "64-10R-10"
    assert "alpha = 0.5\nrho = 0.95" in run.settings.neuron
    assert main(["eval", str(tmp_path / "runs" / "e-prop"), "--encodings", "1"]) == 0
    pytest.importorskip("matplotlib")
    assert main(["plot", str(tmp_path / "runs" / "e-prop")]) == 0
    plan = tmp_path / "plan.toml"
    plan.write_text(
        f"dataset = 'digits'\nseeds = [0]\nfolder = '{tmp_path / 'swept'}'\nencodings = 1\n"
        "base = { epochs = 1, T = 4, batch = 400, hidden = [8] }\n[axes]\n"
        f"neuron = ['{tmp_path / 'adaptive.txt'}', 'u = 0.5 * u + x; o = spike(u - 1)']\n"
    )
    assert main(["sweep", str(plan), "--processes", "1"]) == 0
    runs = read_json(tmp_path / "swept" / "sweep.json")["runs"]
    assert [*runs][1] == "neuron=adaptive,seed=0"
    assert all("accuracy" in result for result in runs.values())
    capsys.readouterr()
    assert main(["train", "digits", "--neuron", "adaptive"]) == 2
    assert "neuron must be forward lines" in capsys.readouterr().err
    assert main(["sweep", str(tmp_path / "none.toml")]) == 2
    assert "none.toml must be a file, and there is none" in capsys.readouterr().err


OWN_TAU = "tau = 0.5; u = tau * u + x; o = spike(u - v_th)"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (
            ["--neuron", OWN_TAU, "--tau", "0.3"],
            "tau must be left out, since no line of the neuron",
        ),
        (["--neuron", OWN_TAU, "--gate", "linear"], "gate must be left out"),
        (["--neuron", "u = u + x; o = spike(u - 1)", "--v-th", "2"], "v_th must be left out"),
        (["--neuron", ""], "neuron must be forward lines, such as"),
        (["--neuron", "u = 1 / 0 * u + x; o = spike(u)"], "neuron, line 1: 1 / 0 is inf"),
        (["--restart"], "must be a folder with restart, and is a link to"),
    ],
)
def test_an_option_that_would_be_dropped_is_refused(given, words, tmp_path: Path, capsys) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "exact").symlink_to("other")
    assert main(["train", "digits", "--rule", "exact", "--out", str(tmp_path), *given]) == 2
    assert words in capsys.readouterr().err


def test_options_that_lines_read_are_taken(tmp_path: Path) -> None:
    path = tmp_path / "mine.txt"
    path.write_text("\ufeffu = tau * u + x; o = spike(u - v_th)", encoding="utf-8")
    args = argparse.ArgumentParser()
    add_arguments(args)
    given = ["digits", "--neuron", str(path), "--tau", "0.3", "--v-th", "2"]
    settings = chosen_settings(args.parse_args(given))
    assert settings.make_neurons()[0].lines.constants == {"tau": 0.3, "v_th": 2.0}
    with pytest.raises(ValueError, match="call make_neurons for the tables"):
        settings.make_neuron()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"neuron": "u = kappa * u + x"}, r"(?s)neuron, line 1: kappa has no value.*kappa = 0\.5"),
        ({"readout": "y = 1"}, "readout, "),
        ({"hidden": ("8R",), "learn": ("rho",)}, "learn must be one of 'tau', 'v_th', got 'rho'"),
        ({"learn": ("tau",), "learn_each": ("tau",)}, "learn_each must name other constants"),
        ({"hidden": ("8R",), "adversarial": 0.1}, "adversarial must be 0 with a neuron of your"),
        ({"rule": "truncated--1"}, "rule must be one of"),
        ({"hidden": ("8RR",)}, "hidden must be made of parts such as 15C5, P2, 300 and 300R"),
    ],
)
def test_what_is_no_network_is_named(changes, words) -> None:
    with pytest.raises(ValueError, match=words):
        Settings(**changes)


def test_outputs_whose_spikes_are_not_read_are_not_called_silent(small, few) -> None:
    potentials = replace(small, loss="membrane", v_th=50.0, epochs=1)
    assert not any(hasattr(e, "where") and e.where == "layer 2" for e in train(potentials, few))
    settings = replace(small, readout="u = 0.9 * u + 0.001 * x", epochs=1)
    advice = [e for e in train(settings, few) if hasattr(e, "where")]
    assert not any(a.where.startswith(("output", "layer 2")) for a in advice)
    assert not settings.has_output_spikes
    params = initial_state(settings, few).params
    shown = passes(params, settings)
    assert set(shown.forward(np.ones((4, 1, 64), np.float32)).O[1].ravel()) <= {0, 1}
