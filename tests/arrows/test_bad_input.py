"""What does not fit together, or has no meaning: the words say what, and what to do.

Values of another kind, shape or size are those of ``test_bad_calls.py``.
"""

import pytest

from stbp_edu import LIF, arrows
from stbp_edu.arrows import network

HARD = arrows.hard_reset(LIF())


def test_more_words_than_a_list_can_hold_are_refused(monkeypatch):
    monkeypatch.setattr("stbp_edu.arrows.unrolled.MOST_PATHS", 50)
    with pytest.raises(ValueError, match="T = 60 must make at most 50 words, got more"):
        arrows.words(network("1-2-2", HARD), 60)
