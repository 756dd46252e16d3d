"""Every door, every argument, every kind of wrong: an error that names it, or ``ACCEPT`` has it.

The wrong values are those of ``tests.bad_calls``.
"""

import atexit
import dataclasses
import shutil
import tempfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import stbp_edu
from stbp_edu import (
    LIF,
    Gaussian,
    Trace,
    arrows,
    derive,
    losses,
    neuron,
    practice,
    training,
)
from stbp_edu._support import files
from stbp_edu.derived import Derived
from stbp_edu.surrogates import SURROGATES
from stbp_edu.training.data import Dataset
from stbp_edu.training.runs import RunConfig
from stbp_edu.training.settings import Settings
from stbp_edu.training.sweeps import Plan
from stbp_edu.verify.proof import prove
from tests.bad_calls import Call, good_calls
from tests.networks import make_problem

P = make_problem(3, [4, 3, 2], T=4, S=2, neuron=LIF(tau=0.5, v_th=0.6))
LABELS = np.eye(2)
OUTPUT = Trace(U=P.trace.U[-1:], O=P.trace.O[-1:])  # what a loss reads
OF_LABELS = (
    losses.LastSteps,
    losses.Membrane,
    losses.CrossEntropy,
    losses.StepCrossEntropy,
)
DIRECT = np.full(P.trace.O[-1].shape, 0.1)
LINES = "u = tau * u + x; o = spike(u - v_th)"
NET = stbp_edu.network("4-3-2", P.neuron)
MINE = derive(LINES, tau=0.5, v_th=1.0, learn=["tau"])
RULE = arrows.Rule("mine", {"all": {"*": "all"}}, forgets=("carry",), block=2)
SMALL = Settings(hidden=(3,), T=2)
DIGITS = training.load_digits()
FOLDER = Path(tempfile.mkdtemp(prefix="stbp-bad-calls-"))
atexit.register(shutil.rmtree, FOLDER, ignore_errors=True)
stbp_edu.save_params(FOLDER / "params.npz", P.params)
files.write_json(FOLDER / "progress-exported.json", {"c1-delta": "right"})


def rng():
    return np.random.default_rng(0)


def read(text, surrogate, learn, learn_each, tau):
    """Return the neuron of a text."""
    return derive(
        text, surrogate=surrogate, learn=learn, learn_each=learn_each, tau=tau
    )


def direct_term(direct):
    return stbp_edu.backward(P.trace, None, P.params, P.neuron, loss=direct)


def train(settings, data, state):
    return type(next(training.train(settings, data, state)))


VALUES = {
    "trace": P.trace, "targets": P.targets, "params": P.params, "neuron": P.neuron,
    "spikes": P.spikes, "U": P.trace.U, "O": P.trace.O, "W": P.params.W, "b": P.params.b,
    "rule": "exact", "loss": losses.RATE, "gain_limit": None, "method": "direct",
    "spike": P.neuron.H, "direct": DIRECT, "k": 1, "counts": False, "s": 0,
    "tau": 0.5, "v_th": 0.75, "surrogate": Gaussian(0.5), "gate": "exponential", "a": 1.0,
    "sizes": [2, 1], "rng": rng(), "dtype": np.float64,
    "scheme": "unit-rows", "scale": 1.0, "t": 1, "n": 1, "T": 2, "N": 2, "S": 2, "P": 2,
    "seed": 0, "rounds": 1,
    "u": 0.5, "current": 1.0, "dt": 0.1, "self": P.neuron,
    "twin": False, "backend": "numpy", "K": 2, "limit": 1.0, "torch": False, "progress": print,
    "recurrent": True, "text": "u = tau * u + x", "learn": ["tau"], "learn_each": [],
    "R": (), "learned": {}, "shape": "", "o": np.zeros((2, 2)), "v": np.zeros((2, 2)),
    "leaf": lambda x: SimpleNamespace(grad=x),  # a tensor that has its gradient
    "encoder": "bernoulli", "pixels": DIGITS.test_images[:2].reshape(2, 64), "hold": 1, "out": None,
    "images": DIGITS.test_images[:3], "labels": DIGITS.test_labels[:3], "settings": SMALL,
    "encodings": 1, "data": DIGITS, "state": None, "dataset": "digits", "folder": FOLDER,
    "held_out": "test", "path": FOLDER / "params.npz",
    "exercise_id": "c3-delta", "function": None, "record": True, "equation_id": "c3-delta",
    "answer": "delta_T", "measured": "t = 2", "prediction_id": "c3-holds",
    "case": 1, "term": "direct", "symptom": "T=1", "file": FOLDER / "progress-exported.json",
    "fraction": 0.2, "rates": [0.1, 0.2],
    "seeds": [0], "base": {"T": 2}, "axes": {},
    "resume": False, "restart": False, "duration": 5,
    "train_images": DIGITS.test_images[:4], "train_labels": DIGITS.test_labels[:4],
    "test_images": DIGITS.test_images[:3], "test_labels": DIGITS.test_labels[:3],
    "source": None,
    "config": RunConfig("digits", SMALL, DIGITS, FOLDER / "run"),
}  # fmt: skip
OF_DERIVED = ("formulas", "program", "online", "prove")
LINES_OF_ITS_OWN = f"tau = 0.5; v_th = 0.5; {LINES}"
ELEMENT = {"self": Gaussian()}
OWN = {
    "Gaussian": {"a": 0.5},
    "Settings": {f.name: f.default for f in dataclasses.fields(Settings)}
    | {"learn": ("tau",), "learn_each": ("v_th",), "neuron": LINES, "readout": LINES},
    "evaluate": {"params": stbp_edu.init_params([64, 3, 10], rng(), np.float32)},
    "by_autograd": {"loss": len},
    "save_params": {"path": FOLDER / "new.npz"}, "predict": {"answer": "t = 1"},
    "network": {"sizes": "4-3-2", "neuron": [LINES_OF_ITS_OWN] * 2},
    "prove": {"neuron": MINE.neuron}, "in_blocks": {"rule": RULE},
    "with_gain_limit": {"rule": RULE},
    **{f"Derived.{name}": {"self": MINE, "rule": RULE} for name in OF_DERIVED},
    "case_at": {"T": 3}, "Plan": {"axes": {"a": [0.1, 0.2]}},
    **{f"LIF.{name}": {"u": np.zeros((2, 2))} for name in "ghH"},
    **{f"{kind}.{name}": ELEMENT for kind in ("Curve", "Gaussian") for name in
       ("derivative", "antiderivative")},
}  # fmt: skip
FUNCTIONS = [
    *(LIF, *SURROGATES.values(), stbp_edu.Params, stbp_edu.init_params),
    *(LIF.f, LIF.df, LIF.g, LIF.h, LIF.H, Gaussian.derivative, Gaussian.antiderivative),
    *(
        stbp_edu.forward,
        stbp_edu.forward_pass.forward,
        stbp_edu.backward,
        stbp_edu.cases.sweep,
    ),
    stbp_edu.cases.case_at,
    *(
        stbp_edu.loss,
        losses.LastSteps,
        losses.Membrane,
        losses.CrossEntropy,
    ),
    *(direct_term, stbp_edu.cases.backward_gate),
    *(neuron.slope, neuron.euler_step, neuron.exact_step),
    *(
        Settings,
        training.encode,
        training.evaluate,
        train,
        stbp_edu.save_params,
    ),
    *(
        stbp_edu.load_params,
        practice.check,
        practice.check_formula,
        practice.check_network,
    ),
    *(training.bernoulli, training.direct),
    *(
        training.validation,
        training.to_dict,
        training.initial_state,
        training.diagnose_layers,
    ),
    *(Dataset, Plan),
    *(
        practice.hint,
        practice.solution,
    ),
    *(practice.predict, practice.by_autograd),
    *(NET.forward, NET.backward, NET.value, NET.init, stbp_edu.network),
    *(arrows.truncated, arrows.in_blocks, arrows.with_gain_limit, prove, read),
    *(getattr(Derived, name) for name in OF_DERIVED),
]
CALLS = [
    *good_calls(FUNCTIONS, VALUES, OWN),
    *(
        Call(
            f"{kind.__name__}.{name}",
            getattr(kind(), name),
            {"trace": OUTPUT, "targets": LABELS},
        )
        for kind in OF_LABELS
        for name in ("value", "direct")
    ),
]
WHOLE = (
    arrows.Table,
    arrows.Neuron,
    Derived,
    LIF,
    SimpleNamespace,
    Settings,
    Trace,
    Dataset,
)
"""What only the package makes: nothing inside it is made wrong."""


REAL = ("a fraction", "zero", "below zero")
ELEMENTWISE = (
    *(
        *REAL,
        "one axis more",
        "one axis less",
        "no entries",
        "an empty array",
        "five axes",
    ),
    *("a NaN", "a NaN in it", "infinity", "an infinity in it"),
)
EMPTY = ("an empty list", "one entry less")
ACCEPT = {  # what is no mistake, or stands for the default
    **{("*", name): ("None",) for name in ("spike", "state", "measured", "s")},
    **{("*", name): ("None",) for name in ("k", "axes", "source")},
    **{("Settings", f.name): ("a fraction",) for f in dataclasses.fields(Settings)},
    **{("*", name): ("a fraction",) for name in ("fraction", "duration", "a")},
    **{("*", name): ("a fraction", "None") for name in ("limit", "gain_limit")},
    **{(name, "loss"): ("None",) for name in ("Model.value", "Model.backward", "network")},
    ("read", "tau"): ("zero", "below zero"),
    **{("read", name): (*EMPTY, "words in it") for name in ("learn", "learn_each")},
    ("read", "surrogate"): ("None",),
    ("*", "progress"): ("None", "a function"),
    **{("*", name): ("zero",) for name in ("K", "seed")},
    **{("*", name): (*EMPTY, "None", "a word") for name in ("block", "name", "forgets", "all")},
    ("*", "*"): ("*",),  # a move that is refused; and before, parts of a rule
    **{("Settings", name): ("zero",) for name in (
        "T_test", "read", "averaging", "shift", "momentum", "beta2",
        "clip_norm", "gain_limit")},
    **{("Settings", name): EMPTY for name in ("learn", "learn_each")},
    ("Settings", "hidden"): (*EMPTY, "a huge integer"),
    **{("Plan", name): EMPTY for name in ("base", "axes", "a")},
    ("diagnose_layers", "rates"): (*EMPTY, *REAL),
    ("*", "R"): ("an empty list", "an empty array", "five axes", "words in it"),  # none is read
    ("Plan", "folder"): ("a word",),
    ("case_at", "t"): ("zero",),
    **{(name, "v_th"): REAL for name in ("LIF", "diagnose_layers", "Settings")},
    **{(f.__name__, x): REAL for f in (neuron.slope, neuron.euler_step, neuron.exact_step)
       for x in ("u", "current", "dt")},
    **{(f"LIF.{name}", x): ELEMENTWISE for name in ("g", "h", "H", "f", "df") for x in "uo"},
    ("*", "v"): ELEMENTWISE,
    # What a reader hands in is judged, whatever it is: see tests/practice/test_odd_answers.py.
    **{(name, "function"): ("*",) for name in ("check", "check_network")},
    **{(name, "answer"): ("*",) for name in ("check_formula", "predict")},
    ("hint", "exercise_id"): ("a word",),  # it names the nearest
    **{("by_autograd", name): ("a function",) for name in ("leaf", "loss")},
    **{(f"{do}_params", "path"): ("a word",) for do in ("save", "load")},  # a file's name
    **{("*", name): ("an odd entry",) for name in ("trace", "params")},
    **{("*", name): ("*",) for name in ("settings", "test_images", "hold")},  # see tests/training
}  # fmt: skip
"""Wrong values that are none: other numbers, other shapes of what is taken entry by entry."""


@pytest.fixture(autouse=True)
def _own_progress(monkeypatch):
    """Keep what is checked and written here out of the reader's own files."""
    monkeypatch.chdir(FOLDER)
    monkeypatch.setenv("STBP_EDU_PROGRESS", str(FOLDER / "progress.json"))


SLOW = ("evaluate", "train", "check", "check_network", "check_formula", "diagnose_layers",
        "initial_state", "by_autograd", "predict", "hint", "validation", "prove",
        "Derived.prove")  # fmt: skip


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.name)
def test_no_bad_call_is_raw_or_accepted(call):
    """Of what takes long, some are tried."""
    bad = call.spoiled(WHOLE)[:: 47 if call.name in SLOW else 1]
    assert {one.fault(ACCEPT) for one in bad} == {""}


def test_good_calls_are_good():
    for call in CALLS:
        call.function(**call.arguments)
