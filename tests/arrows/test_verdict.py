"""What a verdict says, in words."""

import pytest

from stbp_edu.arrows import Verdict

SPIKE, CARRY = ("enter", "spike", "readout"), ("enter", "carry", "spike", "readout")
RESET = ("enter", "spike", "reset", "spike", "readout")
ODD = "equals no built-in rule; of 3 words it counts 2 once, as the exact rule does, and "


@pytest.mark.parametrize(
    ("rules", "counts", "sentence"),
    [
        (("exact",), (), "equals exact"),
        (("ottt", "e-prop"), (), "equals ottt = e-prop (they keep the same words here)"),
        ((), (), "equals no built-in rule, and no sum of words gives its gradients"),
        (
            (),
            (1, 1 + 9e-5, 1 - 9e-5),
            "keeps every word of the small network, and equals no built-in rule on the larger",
        ),
        ((), (1, 0, 1), ODD + "the shortest that it drops is 'enter carry spike readout'"),
        ((), (1, 4e-5, 1), ODD + "the shortest that it drops is 'enter carry spike readout'"),
        (
            (),
            (1 + 2e-4, 1, 1),
            ODD + "the shortest that it counts 1 times is 'enter spike readout'",
        ),
        ((), (2.00004, 1, 1), ODD + "the shortest that it counts twice is 'enter spike readout'"),
        (
            (),
            (1, 1, -0.12345678),
            ODD + "the shortest that it counts -0.1235 times is 'enter spike reset spike readout'",
        ),
        (
            (),
            (1, 3, 0),
            "equals no built-in rule; of 3 words it counts 1 once, as the exact rule does, and the "
            "shortest that it counts 3 times is 'enter carry spike readout'",
        ),
    ],
)
def test_a_verdict_says_what_is_kept_and_names_the_shortest_word_that_is_not(
    rules, counts, sentence
):
    words = (SPIKE, CARRY, RESET)
    assert str(Verdict(rules, dict(zip(words, counts, strict=False)))) == sentence


def test_a_shorter_word_goes_before_one_that_is_first_in_the_alphabet():
    longer = ("enter", "carry", "carry", "spike", "readout")
    verdict = Verdict((), {longer: 0.0, CARRY: 0.0, SPIKE: 1.0})
    assert verdict.dropped() == [CARRY, longer]
    assert str(verdict).endswith("drops is 'enter carry spike readout'")


def test_of_two_words_of_one_length_the_first_in_the_alphabet_is_named():
    other = ("enter", "adapt", "spike", "readout")
    assert str(Verdict((), {CARRY: 0.0, other: 0.0, SPIKE: 1.0})).endswith(
        "drops is 'enter adapt spike readout'"
    )


def test_the_words_that_are_dropped_come_the_shortest_first():
    counts = {RESET: 0.0, SPIKE: 1.0, CARRY: -9e-5, ("enter", "adapt", "spike", "readout"): 0.0}
    dropped = [("enter", "adapt", "spike", "readout"), CARRY, RESET]
    assert Verdict((), counts).dropped() == dropped


@pytest.mark.parametrize("count", [1e-4, -1e-4, 1.0])
def test_a_word_is_dropped_only_where_its_count_is_nearer_to_0(count):
    assert Verdict((), {SPIKE: count}).dropped() == []
