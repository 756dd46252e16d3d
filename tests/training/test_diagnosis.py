"""Advice: what is silent or saturated is told once, and early."""

from dataclasses import replace

import pytest

from stbp_edu.training import Advice, Step, train


def advice_of(settings, data):
    return [e for e in train(settings, data) if isinstance(e, Advice)]


def test_a_silent_network_is_told_what_to_do_once_and_early(small, few):
    events = list(train(replace(small, v_th=1000.0, T=1, batch=5), few))
    first = next(k for k, event in enumerate(events) if isinstance(event, Advice))
    assert sum(isinstance(e, Step) for e in events[:first]) == 20
    found = [event for event in events if isinstance(event, Advice)]
    assert [a.where for a in found] == ["layer 1", "layer 2"]
    assert "layer 1 is silent: its neurons fire in 0.00%" in found[0].message
    assert "Lower the threshold (v_th = 1000 now)" in found[0].message
    assert "layer 2 (output)" in found[1].message


@pytest.mark.parametrize(
    ("changes", "light", "where", "words"),
    [
        ({"v_th": -1000.0}, 1, "layer 1", "Raise the threshold (v_th = -1000 now)"),
        ({"v_th": -1000.0}, 1, "layer 2", "fire in 100.0% of steps"),
        ({}, 0, "layer 0", "images are not blank"),
    ],
)
def test_what_is_wrong_is_told(changes, light, where, words, small, few):
    data = replace(few, train_images=few.train_images * light)
    found = advice_of(replace(small, **changes), data)
    (message,) = (a.message for a in found if a.where == where)
    assert words in message


def test_a_network_that_learns_is_left_alone(small, few):
    assert advice_of(replace(small, hidden=(60,), epochs=8), few) == []


def test_outputs_whose_spikes_are_not_read_are_not_called_silent(small, few):
    for changes in (
        {"loss": "membrane", "v_th": 50.0},
        {"readout": "u = 0.9 * u + 0.001 * x"},
    ):
        found = advice_of(replace(small, epochs=1, **changes), few)
        assert not [a for a in found if a.where.startswith("layer 2")]
