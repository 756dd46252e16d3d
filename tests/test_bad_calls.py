"""Every public function, every argument, every kind of wrong: a clear error, or a right result.

The wrong values are those of ``tests.bad_calls``; what is not refused must be listed in ``ACCEPT``.
The same value in another form (read-only, not contiguous) must give the same result, and so must a
call that leaves an argument out which has a default: the good call is made with it.
"""

import atexit
import dataclasses
import inspect
import shutil
import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

import stbp_edu
from stbp_edu import (
    LIF,
    Gaussian,
    Trace,
    arrows,
    losses,
    ode,
    parameter_files,
    practice,
    training,
)
from stbp_edu._support import files
from stbp_edu.arrows import LocalDerivatives
from stbp_edu.arrows import Path as GraphPath
from stbp_edu.surrogates import SURROGATES
from stbp_edu.training import machines
from stbp_edu.training.data import Dataset
from stbp_edu.training.measurements import load_measurement
from stbp_edu.training.runs import RunConfig
from stbp_edu.training.settings import Settings
from stbp_edu.training.sweeps import Plan
from stbp_edu.verify import autodiff, finite_difference, paths, polynomials, report
from tests.bad_calls import Call, bad_calls, equal, good_calls
from tests.networks import make_problem

P = make_problem(3, [4, 3, 2], T=4, S=2, neuron=LIF(tau=0.5, v_th=0.6))
GRAPH = paths.unroll(
    Trace(
        U=[None, *(u[:, :1] for u in P.trace.U[1:])], O=[o[:, :1] for o in P.trace.O]
    ),
    P.targets[:1],
    P.params,
    P.neuron,
)
START = paths.Node("u", n=1, i=0, t=0)
LABELS = np.eye(2)
OUTPUT = Trace(U=P.trace.U[-1:], O=P.trace.O[-1:])  # what a loss reads
OF_LABELS = (
    losses.LastSteps,
    losses.Membrane,
    losses.CrossEntropy,
    losses.StepCrossEntropy,
)
NET = arrows.network("4-3-2", arrows.hard_reset(P.neuron))
DIRECT = np.full(P.trace.O[-1].shape, 0.1)
LINES = "u = tau * u + x; o = spike(u - v_th)"
SMALL = Settings(hidden=(3,), T=2)
DIGITS = training.load_digits()
FOLDER = Path(tempfile.mkdtemp(prefix="stbp-bad-calls-"))
atexit.register(shutil.rmtree, FOLDER, ignore_errors=True)
parameter_files.save_params(FOLDER / "params.npz", P.params)
files.write_json(FOLDER / "progress-exported.json", {"c1-delta": "right"})


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


class OwnLoss:
    """The distance of the last spikes, whose targets are one row for each sample."""

    def value(self, trace: Trace, targets: Any) -> float:
        return float(((trace.O[-1][-1] - targets) ** 2).sum())

    def direct(self, trace: Trace, targets: Any) -> losses.Direct:
        targets = losses.check_targets(targets, trace.O[-1])
        slopes = np.zeros_like(trace.O[-1])
        slopes[-1] = 2 * (trace.O[-1][-1] - targets)
        return losses.Direct(slopes)


def own_loss(trace, targets, params, neuron):
    return stbp_edu.backward(trace, targets, params, neuron, loss=OwnLoss())


def direct_term(direct):
    return stbp_edu.backward(P.trace, None, P.params, P.neuron, loss=direct)


def symbols(sizes, T):
    return polynomials.symbols(sizes, T)


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
    "node": paths.Node("b", n=1, i=0), "start": START, "graph": GRAPH, "local": GRAPH,
    "paths": paths.paths_from(START, GRAPH), "seed": 0, "rounds": 1,
    "u": 0.5, "current": 1.0, "dt": 0.1, "size": 1e6, "bandwidth": 1e8, "latency": 1e-3,
    "compute": 0.1, "means": [np.ones(2), np.zeros(2)], "self": P.neuron,
    "R": (), "learned": {}, "shape": "", "o": np.zeros((2, 2)), "v": np.zeros((2, 2)),
    "leaf": lambda x: SimpleNamespace(grad=x),  # a tensor that has its gradient
    "encoder": "bernoulli", "pixels": DIGITS.test_images[:2].reshape(2, 64), "hold": 1, "out": None,
    "images": DIGITS.test_images[:3], "labels": DIGITS.test_labels[:3], "settings": SMALL,
    "encodings": 1, "data": DIGITS, "state": None, "dataset": "digits", "folder": FOLDER,
    "held_out": "test", "path": FOLDER / "params.npz",
    "exercise_id": "c3-delta", "function": None, "record": True, "equation_id": "c3-delta",
    "answer": "delta_T", "measured": "t = 2", "prediction_id": "c3-holds",
    "case": 1, "term": "direct", "symptom": "T=1", "file": FOLDER / "progress-exported.json",
    "net": NET, "backend": "numpy", "twin": False, "work": None, "reads": (),
    "inputs": P.spikes, "fraction": 0.2, "rates": [0.1, 0.2],
    "seeds": [0], "base": {"T": 2}, "axes": {},
    "resume": False, "restart": False, "duration": 5,
    "train_images": DIGITS.test_images[:4], "train_labels": DIGITS.test_labels[:4],
    "test_images": DIGITS.test_images[:3], "test_labels": DIGITS.test_labels[:3],
    "source": None,
    "config": RunConfig("digits", SMALL, DIGITS, FOLDER / "run"),
}  # fmt: skip
ELEMENT = {"self": Gaussian()}
OWN = {
    "Gaussian": {"a": 0.5},
    "Settings": {f.name: f.default for f in dataclasses.fields(Settings)}
    | {"learn": ("tau",), "learn_each": ("v_th",), "neuron": LINES, "readout": LINES},
    "evaluate": {"params": stbp_edu.init_params([64, 3, 10], rng(), np.float32)},
    "by_autograd": {"loss": len},
    "save_params": {"path": FOLDER / "new.npz"}, "whole_gradient": {"counts": [1, 2]},
    "predict": {"answer": "t = 1"},
    "case_at": {"T": 3}, "prove": {"sizes": [1, 1], "T": 1},
    "load_measurement": {"name": "ablations-digits"}, "Plan": {"axes": {"a": [0.1, 0.2]}},
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
    *(stbp_edu.cases.case_at, machines.idle_share, machines.ring_seconds),
    *(machines.step_seconds, machines.whole_gradient),
    *(
        stbp_edu.loss,
        losses.read_loss,
        losses.LastSteps,
        losses.Membrane,
        losses.CrossEntropy,
    ),
    *(own_loss, direct_term, stbp_edu.case_rules.backward_gate),
    *(
        autodiff.derivatives,
        finite_difference.partial,
        paths.count_paths,
        paths.paths_from,
    ),
    *(paths.total, ode.slope, ode.euler_step, ode.exact_step),
    *(
        Settings,
        training.encode,
        training.evaluate,
        train,
        parameter_files.save_params,
    ),
    *(
        parameter_files.load_params,
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
    *(Dataset, Plan, load_measurement),
    *(
        practice.export_progress,
        practice.import_progress,
        practice.hint,
        practice.solution,
    ),
    *(practice.predict, practice.hunt, practice.by_autograd),
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
SLOW = good_calls(
    [report.run, symbols, polynomials.prove, paths.derivatives], VALUES, OWN
)
WHOLE = (LocalDerivatives, GraphPath, arrows.Table, LIF, SimpleNamespace, Settings)
"""What only the package makes: nothing inside it is made wrong."""


REAL = ("a fraction", "zero", "below zero", "a large integer")
POSITIVE = ("a fraction", "a large integer")
SHAPES = (
    "one axis more",
    "one axis less",
    "one entry more",
    "no entries",
    "half floats",
)
ODD = (
    "a NaN",
    "a NaN in it",
    "infinity",
    "an infinity in it",
    "wide floats",
    "big-endian",
)
ELEMENTWISE = (*REAL, *SHAPES, *ODD, "an empty array", "five axes")
READ = [
    f"{kind.__name__}.{method}" for kind in OF_LABELS for method in ("value", "direct")
]
EMPTY = ("an empty list", "one entry less")
ANY_FLOATS = ("half floats", "wide floats", "big-endian", "a list of it")
MAY_BE_ZERO = (
    "T_test", "read", "weight_decay", "averaging", "shift", "dropout", "momentum", "beta2",
    "clip_norm",
)  # fmt: skip
ACCEPT = {  # what is no mistake, or stands for the default
    **{("*", name): ("None",) for name in ("spike", "state", "measured", "term", "symptom", "s")},
    **{(name, "k"): ("None", "a large integer") for name in ("LastSteps", "Membrane")},
    ("*", "targets"): ANY_FLOATS,
    ("forward", "spikes"): (*ANY_FLOATS, "one entry more"),
    **{("Settings", f.name): POSITIVE for f in dataclasses.fields(Settings)},
    **{("Settings", name): (*POSITIVE, "zero") for name in MAY_BE_ZERO},
    **{("Settings", name): (*POSITIVE, "zero") for name in ("seed", "gain_limit")},
    **{("Settings", name): EMPTY for name in ("hidden", "learn", "learn_each")},
    **{("Settings", name): ("an empty word",) for name in ("neuron", "readout")},
    ("run", "seed"): ("zero", "a large integer"),
    **{("*", name): ("big-endian",) for name in ("labels", "train_labels", "test_labels")},
    ("case_at", "t"): ("zero",),
    ("hunt", "case"): ("None", "zero"),  # not said yet; the loops
    # What a reader hands in is judged, whatever it is: see tests/practice/test_odd_answers.py.
    **{(name, "function"): ("*",) for name in ("check", "check_network")},
    ("check_formula", "answer"): ("*",),
    **{(f"LIF.{name}", "u"): ELEMENTWISE for name in ("g", "h", "H")},
    **{(f"LIF.{name}", "o"): ELEMENTWISE for name in ("f", "df")},
    **{("*", "v"): ELEMENTWISE},
    **{(f.__name__, x): REAL for f in (ode.slope, ode.euler_step, ode.exact_step)
       for x in ("u", "current", "dt")},
    **{("*", name): POSITIVE for name in ("a", "tau", "scale", "gain_limit")},
    **{("*", name): POSITIVE for name in ("size", "bandwidth", "latency", "compute")},
    **{("*", name): ("a large integer",) for name in ("T", "N", "P", "k")},
    **{(name, j): ("*",) for name in ("partial", "count_paths", "paths_from") for j in "jt"},
    **{(name, j): ("*",) for name in ("loss", *READ) for j in "UO"},  # one is read; fewer steps
    **{(name, "U"): ("*",) for name in ("sweep", "backward", "own_loss", "derivatives")},  # U[0]
    **{("*", "spikes"): ("one entry more",)},
    **{("*", name): ("*",) for name in ("states", "smooth")},  # of a trace of the front door
    **{(name, "v_th"): REAL for name in ("LIF", "diagnose_layers", "Settings")},
    **{("*", name): ("*",) for name in ("settings", "test_images")},  # see tests/training
    ("whole_gradient", "counts"): ("a large integer",),
    **{("by_autograd", name): ("a function",) for name in ("leaf", "loss")},
    ("encode", "hold"): ("*",),  # of other encoders
    ("Params", "R"): ("an empty list", "words in it"),  # no words, since it is empty
    ("Params", "shape"): ("an empty word",),
    ("predict", "answer"): ("*",),  # what is no choice is said to be none
    ("hint", "exercise_id"): ("a word", "an empty word"),  # it names the nearest
    **{("*", name): ("None",) for name in ("work", "axes", "source")},
    **{("*", name): ("one entry more",) for name in ("inputs", "pixels", "outputs")},
    **{("*", name): ("an odd entry",) for name in ("trace", "params")},
    **{("*", name): ("zero", *POSITIVE) for name in ("duration",)},
    **{("Plan", name): ("one entry less",) for name in ("base", "axes", "a")},
    ("Plan", "seeds"): ("a large integer",),
    ("Settings", "hidden"): (*EMPTY, "a large integer"),
    ("diagnose_layers", "rates"): (*EMPTY, *REAL),
    **{(f"{what}_progress", "file"): ("a word",) for what in ("export", "import")},
    **{(f"{what}_params", "path"): ("a word",) for what in ("save", "load")},  # a file's name
    ("validation", "fraction"): ("a fraction",),
    ("total", "paths"): ("an empty list", "one entry less", "one entry more"),
}  # fmt: skip
"""Wrong values that are none: other numbers, other shapes of what is taken entry by entry."""


NO_DEFAULT = {  # the good call is made with another value than the default
    "spike", "case", "term", "symptom", "answer", "measured", "rounds", "learn", "learn_each",
    "neuron", "readout", "encodings", "backend", "fraction", "base", "axes",
}  # fmt: skip
LEFT_OUT = object()


@pytest.fixture(autouse=True)
def _own_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep what is checked and written here out of the reader's own files."""
    monkeypatch.chdir(FOLDER)
    monkeypatch.setenv("STBP_EDU_PROGRESS", str(FOLDER / "progress.json"))


def same(call: Call, argument: str) -> list[Any]:
    """Return what must give the same result, also that the argument is not given."""
    good = call.arguments[argument]
    default = inspect.signature(call.function).parameters[argument].default
    left_out = (
        [LEFT_OUT]
        if default is not inspect._empty and argument not in NO_DEFAULT
        else []
    )
    if not isinstance(good, np.ndarray):
        return left_out
    wide = np.zeros((*good.shape[:-1], 2 * good.shape[-1]), good.dtype)
    wide[..., ::2] = good
    frozen = good.copy()
    frozen.flags.writeable = False
    return [*left_out, wide[..., ::2], np.asfortranarray(good), frozen]


SOME = [
    *(pytest.param(call, id=call.name) for call in CALLS),
    *(pytest.param(call, id=call.name, marks=pytest.mark.slow) for call in SLOW),
]


@pytest.mark.usefixtures("two_neurons")
@pytest.mark.parametrize("call", SOME)
def test_other_forms_of_a_right_argument_give_the_same_result(call: Call) -> None:
    """Read-only, not contiguous, in Fortran order; and left out where it has a default."""

    def result(given: dict[str, Any]) -> Any:  # generators have drawn nothing yet
        fresh = {
            k: rng() if isinstance(v, np.random.Generator) else v
            for k, v in given.items()
        }
        return call.function(**{k: v for k, v in fresh.items() if v is not LEFT_OUT})

    expected = result(dict(call.arguments))
    for argument in call.arguments:
        for value in same(call, argument):
            assert equal(result({**call.arguments, argument: value}), expected), (
                argument
            )


@settings(max_examples=20 * settings().max_examples)
@given(bad_calls(CALLS, WHOLE))
def test_no_bad_call_is_raw_or_accepted(call: Call) -> None:
    assert not call.fault(ACCEPT)
