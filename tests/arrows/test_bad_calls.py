"""Every public function of arrows, and the derived neurons: no bad call is raw, or accepted."""

import inspect

import numpy as np
from hypothesis import given, settings

from stbp_edu import LIF, Gaussian, arrows, derive, proof
from stbp_edu.derived import Derived
from stbp_edu.lines.forward_lines import ForwardLines
from stbp_edu.losses import RATE
from tests.bad_calls import bad_calls, good_calls
from tests.networks import make_problem

MINE = derive(
    "u = tau * u + x - o\no = spike(u - v_th)", tau=0.5, v_th=1.0, learn=["tau"]
)
OF = MINE.neuron
BY_HAND = arrows.Neuron(OF.lines, OF.arrows, Gaussian(0.5), dict(OF.learned))
NET = arrows.network("2-2R-1", [BY_HAND, MINE.neuron])
RNG = np.random.default_rng(0)
PARAMS = arrows.draw_params(NET, RNG)
INPUTS, TARGETS = RNG.random((3, 2, 2)), RNG.random((2, 1))
TRACE = arrows.forward(NET, PARAMS, INPUTS)
P = make_problem(3, [4, 3, 2], T=4, S=2, neuron=LIF(tau=0.5, v_th=0.6))
RULE = arrows.Rule("mine", {"all": {"*": "all"}}, forgets=("carry",), block=2)
NODE = arrows.Node("u", n=1, t=0, i=0)
VALUES = {
    "net": NET, "params": PARAMS, "trace": TRACE, "inputs": INPUTS, "targets": TARGETS,
    "rule": RULE, "local": arrows.local_derivatives(NET, PARAMS, TRACE, TARGETS), "twin": False,
    "T": 2, "K": 2, "k": 1, "n": 1, "s": 0, "start": NODE, "node": NODE, "rng": RNG, "scale": 1.0,
    "seed": 0, "limit": 1.0, "tau": 0.5, "lif": LIF(), "neuron": MINE.neuron, "alpha": 0.5,
    "beta": 0.5, "rho": 0.5, "torch": False, "progress": print,
    "learn_leak": True, "loss": arrows.Loss("mine", "o", RATE, 1, False), "sizes": "2-2-1",
    "state": "u", "last": 1, "letter": arrows.Polynomial.letter, "self": MINE, "recurrent": True,
    "text": "u = tau * u + x", "surrogate": Gaussian(0.5), "learn": ["tau"], "learn_each": [],
    "function": lambda *run: arrows.part_one.backward(*run, "exact"), "rtol": 1e-6,
}  # fmt: skip
OWN = {
    "AveragePool": {"k": 2}, "Patches": {"k": 2}, "classify": {"neuron": LIF()},
    "network": {"neuron": [BY_HAND, MINE.neuron]}, "online": {"rule": arrows.RULES["ottt"]},
}  # fmt: skip


def read(text, surrogate, learn, learn_each, tau):
    """Return the neuron of a text."""
    return derive(
        text, surrogate=surrogate, learn=learn, learn_each=learn_each, tau=tau
    )


FUNCTIONS = [
    f for name in arrows.__all__ if inspect.isfunction(f := getattr(arrows, name))
]
FUNCTIONS += [
    arrows.AveragePool,
    arrows.Patches,
]  # the parts of calls make other records wrong
FUNCTIONS += [
    proof.prove,
    read,
    Derived.formulas,
    Derived.program,
    Derived.online,
    Derived.prove,
]
CALLS = good_calls(FUNCTIONS, VALUES, OWN)
WORDS = ("name", "letters", "leak_letters", "adjoint", "state", "kind")
NUMBERS = ("a fraction", "zero", "below zero", "a large integer")
COUNTS, FEWER = ("zero", "a large integer"), ("one entry less", "an empty list")
ACCEPTED = {
    ("*", "progress"): ("None", "a function"),
    **{("*", name): NUMBERS for name in ("v_th", "alpha", "beta", "rho", "initial")},
    ("*", "tau"): (*NUMBERS, "one entry less"),
    **{
        ("*", name): ("a fraction", "a large integer")
        for name in ("a", "scale", "rtol")
    },
    **{("*", name): (*COUNTS, "None") for name in ("block", "last", "seed", "k")},
    **{("*", name): COUNTS for name in ("s", "t", "i", "T", "K", "n", "j")},
    ("*", "step"): ("zero",),  # of an arrow, where the lines are read instead
    **{
        ("online", arrow): ("None",) for arrow in ("threshold", "weight", "readout")
    },  # no move
    ("online", "leak"): ("None", "one entry less"),
    ("*", "gain_limit"): ("a fraction", "a large integer", "None"),
    ("*", "limit"): ("a fraction", "a large integer", "None"),
    **{
        ("*", name): ("None",)
        for name in ("net", "loss", "surrogate", "lines", "recurrent")
    },
    ("*", "forgets"): (
        "one entry less",
        "a word",
        "an empty word",
    ),  # until a network is there
    ("*", "params"): ("an odd entry",),
    ("*", "trace"): ("an odd entry",),
    # any word will do, as long as nothing else has to agree with it
    **{("*", name): ("a word", "an empty word") for name in WORDS},
    **{("*", name): FEWER for name in ("layers", "arrows", "learned", "learn", "all")},
    ("*", "learn_each"): (*FEWER, "words in it"),
    ("*", "inputs"): ("one entry more", "one entry less", "a record array"),
    **{
        ("*", name): ("a function",) for name in ("update", "factor")
    },  # refused when it runs
    ("*", "leak"): ("a function", "None"),
    **{
        ("*", name): ("*",) for name in ("*", "u")
    },  # not read; a move is refused; no input's u
}
"""What is no mistake: another number, another word, none of what may be left out."""
WHOLE = (arrows.LocalDerivatives, ForwardLines)


@settings(max_examples=20 * settings().max_examples)
@given(bad_calls(CALLS, WHOLE))
def test_no_bad_call_is_raw_or_accepted(call):
    assert not call.fault(ACCEPTED)


def test_good_calls_are_good():
    for call in CALLS:
        call.function(**call.arguments)
