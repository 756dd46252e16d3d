"""What does not fit together, or has no meaning: the words say what, and what to do.

Values of another kind, shape or size are those of ``test_bad_calls.py``.
"""

import numpy as np
import pytest

from stbp_edu import LIF, arrows, derive
from stbp_edu.arrows import network

HARD = arrows.hard_reset(LIF())


def test_more_words_than_a_list_can_hold_are_refused(monkeypatch):
    monkeypatch.setattr("stbp_edu.arrows.unrolled.MOST_PATHS", 50)
    with pytest.raises(ValueError, match="T = 60 must make at most 50 paths, got 6802"):
        arrows.words(network("1-2-2", HARD), 60)


def test_spikes_close_to_the_threshold_may_have_been_rounded_to_either_side():
    """A genuine trace is not refused for two neurons on different sides of it."""
    net = network("1-1", derive("u = x\no = spike(u - 1)").neuron)
    params = [None, {"W": np.ones((1, 1)), "b": np.zeros(1)}]

    def after(first):
        """The backward pass of a run whose spikes have been turned round."""
        trace = arrows.forward(net, params, np.array([[[first], [1 + 5e-5]]]))
        trace["o"][1] = 1 - trace["o"][1]
        return arrows.backward(net, params, trace, np.ones((2, 1))).gradients[1]["W"]

    assert np.isfinite(after(1 - 5e-5)).all()
    with pytest.raises(ValueError, match="must follow from this network"):
        after(0.5)
