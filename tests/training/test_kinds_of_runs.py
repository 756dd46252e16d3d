"""Settings of many kinds in a run: trained, saved, resumed."""

from dataclasses import replace

import pytest

from stbp_edu.cli.main import main
from stbp_edu.parameters import load_params, named_arrays, save_params
from stbp_edu.training import (
    Settings,
    evaluate,
    initial_state,
    to_dict,
    train,
)
from stbp_edu.training.runs import (
    load_checkpoint,
    save_checkpoint,
)
from stbp_edu.training.trainer import TEST, stream
from tests.runs import bits, epochs

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


SMALL = {"T": 4, "hidden": (20,), "epochs": 5, "batch": 40, "averaging": 0.5}
SMALL |= {"lr": 1e-2, "init_scale": 0.5}
RUNS = {
    "plain, no average": {"averaging": 0.0},
    "convolution": {
        "hidden": ("4C3", "P2", 20), "encoder": "direct", "shift": 1, "v_th": 1.0, "batch": 10
    },
    "signs, shifted": {"gradient_sign": True, "shift": 1},
    "sgd": {"optimiser": "sgd", "lr": 0.3, "momentum": 0.5},
    "clipped": {"clip_norm": 0.1, "beta2": 0.9},
    "adaptive": OWN,
    "adaptive, limited": {**OWN, "gain_limit": 0.3},
    "e-prop": {"rule": "e-prop", "hidden": ("20R",)},
    "truncated": {"rule": "truncated-3"},
    "derived convolution": {
        "hidden": ("2C3", "P2", "12R"), "encoder": "direct", "learn": ("v_th",)
    },
    "read-out": {"neuron": "u = 0.5 * u * (1 - o) + x; o = spike(u - 1)",
                 "readout": "u = 0.9 * u + x"},
}  # fmt: skip


@pytest.mark.parametrize("changes", RUNS.values(), ids=RUNS)
def test_runs_learn_and_go_on_bit_for_bit(changes, few, bytes_few, tmp_path):
    settings, path = Settings(**{**SMALL, **changes}), tmp_path / "c.npz"
    data = bytes_few if settings.shift else few
    first, *_, whole = epochs(settings, data)
    assert settings.shift or whole.loss < 0.97 * first.loss
    now = named_arrays(whole.state.params)
    for name, array in named_arrays(initial_state(settings, data).params).items():
        assert (now[name] != array).any() or name == "rho.3", name
    save_checkpoint(path, first.state, {"settings": to_dict(settings)})
    resumed = epochs(settings, data, load_checkpoint(path).state)[-1]
    assert (resumed.loss, resumed.test) == (whole.loss, whole.test)
    assert bits(resumed.state.kept) == bits(whole.state.kept)
    save_params(path, whole.state.kept)
    held_out = load_params(path), data.test_images, data.test_labels
    found = evaluate(*held_out, settings, stream(settings, TEST, 5))
    assert found.mean == whole.test


def test_a_state_of_another_network_or_of_other_data_is_refused(few):
    small, other = Settings(**OWN), Settings(hidden=(9,))
    wide = replace(
        few, train_images=few.train_images[:, 1:], test_images=few.test_images[:, 1:]
    )
    for settings, data, words in (
        (other, few, r"params must be of a network with hidden layers \(9,\)"),
        (small, wide, r"56 inputs and 10 outputs for images .*, got 64 and 10"),
    ):
        state, held_out = (
            initial_state(small, few),
            (data.test_images, data.test_labels),
        )
        with pytest.raises(ValueError, match=words):
            list(train(settings, data, state))
        with pytest.raises(ValueError, match=words):
            evaluate(state.params, *held_out, settings, stream(settings, TEST))


OWN_TAU = "tau = 0.5; u = tau * u + x; o = spike(u - v_th)"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (
            ["--neuron", OWN_TAU, "--tau", "0.3"],
            "tau must be left out, since no line of",
        ),
        (["--neuron", OWN_TAU, "--gate", "linear"], "gate must be left out"),
        (["--neuron", "none.txt"], "neuron must be forward lines, such as"),
        (
            ["--neuron", "u = 1 / 0 * u + x; o = spike(u)"],
            "neuron, line 1: 1 / 0 is inf",
        ),
    ],
)
def test_an_option_that_would_be_dropped_is_refused(given, words, tmp_path, capsys):
    assert (
        main(["train", "digits", "--rule", "exact", "--out", str(tmp_path), *given])
        == 2
    )
    assert words in capsys.readouterr().err
