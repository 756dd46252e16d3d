"""Settings: what cannot be is named, and they survive JSON, that of earlier versions too."""

from dataclasses import replace

import pytest

from stbp_edu import LIF, Triangle, derive
from stbp_edu.training import RECIPES, Settings, from_dict, to_dict

CONV = {"hidden": ("4C3", 20)}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"hidden": (5, 0)}, "hidden must be made of parts, got '0'"),
        ({"beta2": 1.0}, r"beta2 must be in \[0, 1\)"),
        ({"clip_norm": -1.0}, r"clip_norm must be in \[0, inf\), got -1.0; 0: off"),
        ({"optimiser": "adamw"}, "optimiser must be one of 'adam', 'sgd'"),
        ({"rule": "truncated--1"}, "rule must be one of"),
        (
            {"hidden": ("8RR",)},
            "hidden must be made of parts, got",
        ),
        ({**CONV, "encoder": "rows"}, "encoder must be 'bernoulli' or 'direct' for"),
        ({"loss": "last-steps", "read": 30}, "read must be <= T = 10"),
        ({"read": 2}, "read must be 0 with loss = 'rate'"),
        ({"gradient_sign": 1}, "gradient_sign must be of type bool"),
        (
            {"neuron": "u = kappa * u + x"},
            r"(?s)neuron, line 1: kappa has no value.*kappa = 0\.5",
        ),
        ({"readout": "y = 1"}, "readout, "),
        (
            {"learn": ("tau",), "learn_each": ("tau",)},
            "learn_each must name other constants",
        ),
    ],
)
def test_bad_settings_are_named(change, words):
    with pytest.raises((TypeError, ValueError), match=words):
        Settings(**change)


OLDER = {"shards": 2, "optimizer": "adam", "adversarial": 0.0, "fgsm": "untargeted"}


def test_settings_survive_json():
    for settings in RECIPES.values():
        assert from_dict(to_dict(settings)) == settings
    written = to_dict(replace(Settings(), T=7))
    del written["gradient_sign"]
    assert from_dict({**written, **OLDER}) == Settings(T=7)
    for more, words in (
        ({"depth": 3}, r"got \['depth'\]"),
        ({"adversarial": 0.1}, r"got \['adversarial'\]"),
        ({"optimizer": "lion"}, "optimiser must be one of 'adam', 'sgd'"),
    ):
        with pytest.raises(ValueError, match=words):
            from_dict({**written, **more})


def test_settings_take_what_derive_returns():
    mine = derive("u = tau * u * (1 - o) + x; o = spike(u - v_th)", tau=0.9, v_th=0.5,
                  surrogate=Triangle(2.0), learn=["tau"])  # fmt: skip
    settings = Settings(neuron=mine)
    assert (settings.surrogate, settings.a) == ("triangle", 2.0)
    assert settings.learn == ("tau",)
    hidden, last = settings.make_neurons()
    assert hidden.lines.constants == {"tau": 0.9, "v_th": 0.5}
    assert last is hidden
    assert (
        Settings(neuron=LIF(tau=0.9, gate="linear"))
        .make_neurons()[0]
        .lines.constants["tau"]
        == 0.9
    )
