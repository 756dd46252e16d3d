"""Wrong answers are told what they were told before, word for word."""

import json

import pytest

from tests.practice.feedback_texts import GROUPS, KEPT, texts

TEXTS = json.loads(KEPT.read_text(encoding="utf-8"))


@pytest.mark.slow
@pytest.mark.parametrize("group", GROUPS)
def test_wrong_answers_are_told_the_kept_words(group):
    assert texts(group) == TEXTS[group], "meant? python -m tests.practice.feedback_texts keeps it"


def test_every_kept_group_is_asked():
    assert set(TEXTS) == set(GROUPS), "run python -m tests.practice.feedback_texts"
    assert sum(map(len, TEXTS.values())) > 1000
