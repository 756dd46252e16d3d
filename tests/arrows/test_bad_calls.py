"""The doors of arrows and of derived neurons: no bad call is raw, or accepted."""

import pytest

from stbp_edu import Gaussian, arrows, derive
from stbp_edu.derived import Derived
from stbp_edu.verify.proof import prove
from tests.bad_calls import good_calls

MINE = derive(
    "u = tau * u + x - o\no = spike(u - v_th)", tau=0.5, v_th=1.0, learn=["tau"]
)
RULE = arrows.Rule("mine", {"all": {"*": "all"}}, forgets=("carry",), block=2)
VALUES = {
    "K": 2, "limit": 1.0, "rule": RULE, "tau": 0.5, "neuron": MINE.neuron, "torch": False,
    "progress": print, "seed": 0, "self": MINE, "recurrent": True, "text": "u = tau * u + x",
    "surrogate": Gaussian(0.5), "learn": ["tau"], "learn_each": [],
}  # fmt: skip


def read(text, surrogate, learn, learn_each, tau):
    """Return the neuron of a text."""
    return derive(
        text, surrogate=surrogate, learn=learn, learn_each=learn_each, tau=tau
    )


FUNCTIONS = [
    arrows.truncated,
    arrows.in_blocks,
    arrows.with_gain_limit,
    prove,
    read,
    Derived.formulas,
    Derived.program,
    Derived.online,
    Derived.prove,
]
CALLS = good_calls(FUNCTIONS, VALUES, {})
ACCEPTED = {
    ("*", "progress"): ("None", "a function"),
    ("*", "tau"): ("zero", "below zero", "one entry less"),
    ("*", "block"): ("None",),
    **{("*", name): ("zero",) for name in ("K", "seed")},
    **{("*", name): ("a fraction", "None") for name in ("limit", "gain_limit")},
    ("*", "surrogate"): ("None",),
    ("*", "forgets"): ("one entry less", "a word"),  # until a network is there
    ("*", "name"): ("a word",),
    ("*", "all"): ("one entry less",),  # it keeps nothing
    ("*", "learn"): ("one entry less", "an empty list"),
    ("*", "learn_each"): ("one entry less", "an empty list", "words in it"),
    ("*", "*"): ("*",),  # a move that is refused
}
"""What is no mistake: another number, another word, none of what may be left out."""
WHOLE = (arrows.Neuron, Derived)


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.name)
def test_no_bad_call_is_raw_or_accepted(call):
    """Of proofs, which take long, some are tried."""
    bad = call.spoiled(WHOLE)[:: 7 if "prove" in call.name else 1]
    assert {one.fault(ACCEPTED) for one in bad} == {""}


def test_good_calls_are_good():
    for call in CALLS:
        call.function(**call.arguments)
