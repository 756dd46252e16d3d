from dataclasses import replace

import pytest

from stbp_edu.training import Advice, Dataset, Settings, Step, train


def advice_of(settings: Settings, data: Dataset) -> list[Advice]:
    return [e for e in train(settings, data) if isinstance(e, Advice)]


def test_a_silent_network_is_told_what_to_do_once_and_early(small, digits) -> None:
    events = list(train(replace(small, v_th=1000.0, T=1), digits))
    first = next(k for k, event in enumerate(events) if isinstance(event, Advice))
    assert sum(isinstance(e, Step) for e in events[:first]) == 20
    found = [event for event in events if isinstance(event, Advice)]
    assert [(a.where, a.kind) for a in found] == [
        ("layer 1", "silent"),
        ("layer 2", "silent"),
    ]
    for words in (
        "layer 1 is silent",
        "0.00% of steps",
        "Lower the threshold",
        "v_th = 1000 now",
    ):
        assert words in found[0].message
    assert "layer 2 (output)" in found[1].message


@pytest.mark.parametrize(
    ("changes", "light", "where", "kind", "words"),
    [
        (
            {"v_th": -1000.0},
            1,
            "layer 1",
            "saturated",
            "Raise the threshold (v_th = -1000 now)",
        ),
        ({"v_th": -1000.0}, 1, "layer 2", "saturated", "fire in 100.0% of steps"),
        ({}, 0, "layer 0", "silent", "images are not blank"),
        (
            {"lr": 1e-9, "epochs": 1, "seed": 1},
            1,
            "network",
            "chance",
            "chance is 10.0%",
        ),
        (
            {"lr": 1e-9, "epochs": 1, "seed": 1, "gate": "linear"},
            1,
            "network",
            "chance",
            "for a silent neuron the exact gain is τ (1 - u·h(u)), and",
        ),
    ],
)
def test_what_is_wrong_is_told(changes, light, where, kind, words, small, few) -> None:
    found = advice_of(
        replace(small, **changes), replace(few, train_images=few.train_images * light)
    )
    (message,) = (a.message for a in found if (a.where, a.kind) == (where, kind))
    assert words in message


def test_a_network_that_learns_is_left_alone(small, few) -> None:
    assert advice_of(replace(small, hidden=(60,), epochs=8), few) == []


def test_an_output_that_never_fires_is_found(small, few) -> None:
    """No image of class 9 to learn from: after a while the tenth output neuron keeps silent."""
    keep = few.train_labels != 9
    data = replace(
        few, train_images=few.train_images[keep], train_labels=few.train_labels[keep]
    )
    data = replace(
        data, train_labels=data.train_labels + (data.train_labels == 8)
    )  # no 8, but 9
    found = advice_of(replace(small, epochs=30, hidden=(40,), T=3, lr=5e-3), data)
    assert [(a.where, a.kind) for a in found] == [("output 8", "silent")]
    assert "output 8 is silent: it fires" in found[0].message
