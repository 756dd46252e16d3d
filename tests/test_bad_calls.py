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
from collections.abc import Callable
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
    Params,
    Trace,
    cases,
    convolution,
    files,
    losses,
    machines,
    network,
    ode,
    practice,
    rules,
)
from stbp_edu.arrows import LocalDerivatives
from stbp_edu.arrows import Path as GraphPath
from stbp_edu.rules import backward_gate
from stbp_edu.surrogates import SURROGATES
from stbp_edu.training.data import load_digits
from stbp_edu.training.encoders import encode
from stbp_edu.training.evaluation import evaluate
from stbp_edu.training.runs.run import RunConfig
from stbp_edu.training.settings import Settings
from stbp_edu.training.trainer import train
from stbp_edu.verify import autodiff, finite_difference, paths, polynomials, report
from tests.bad_calls import Call, bad_calls, good_calls, wrong
from tests.networks import make_problem

P = make_problem(3, [4, 3, 2], T=4, S=2, neuron=LIF(tau=0.5, v_th=0.6))
GRAPH = paths.unroll(
    network.Trace(U=[None, *(u[:, :1] for u in P.trace.U[1:])], O=[o[:, :1] for o in P.trace.O]),
    P.targets[:1],
    P.params,
    P.neuron,
)
PASS = {"trace": P.trace, "targets": P.targets, "params": P.params, "neuron": P.neuron}
RUN = {"spikes": P.spikes, "params": P.params, "neuron": P.neuron}
WHOLE = {"spikes": P.spikes, "targets": P.targets, "params": P.params, "neuron": P.neuron}
START = paths.Node("u", n=1, i=0, t=0)
LABELS = np.eye(2)
OUTPUT = Trace(U=P.trace.U[-1:], O=P.trace.O[-1:])  # what a loss reads
OF_LABELS = losses.LastSteps, losses.Membrane, losses.CrossEntropy, losses.StepCrossEntropy
DIRECT = np.full(P.trace.O[-1].shape, 0.1)
LINES = "u = tau * u + x; o = spike(u - v_th)"
SMALL = Settings(hidden=(3,), T=2)
DIGITS = load_digits()
FOLDER = Path(tempfile.mkdtemp(prefix="stbp-bad-calls-"))
atexit.register(shutil.rmtree, FOLDER, ignore_errors=True)
files.save_params(FOLDER / "params.npz", P.params)


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


class OwnLoss:
    """The distance of the last spikes, that reads its targets unchecked."""

    def value(self, trace: Trace, targets: Any) -> float:
        return float(((trace.O[-1][-1] - targets) ** 2).sum())

    def direct(self, trace: Trace, targets: Any) -> losses.Direct:
        slopes = np.zeros_like(trace.O[-1])
        slopes[-1] = 2 * (trace.O[-1][-1] - targets)
        return losses.Direct(slopes)


CALLS: dict[str, tuple[Callable[..., Any], dict[str, Any]]] = {
    "LIF": (LIF, {"tau": 0.5, "v_th": 0.75, "surrogate": Gaussian(0.5), "gate": "exponential"}),
    **{k.__name__: (k, {"a": 1.0}) for k in SURROGATES.values()},
    "Params": (Params, {"W": list(P.params.W), "b": list(P.params.b)}),
    "init_params": (
        stbp_edu.init_params,
        {"sizes": [3, 2], "rng": rng(), "dtype": np.float64, "scheme": "unit-rows", "scale": 1.0},
    ),
    "engine.forward": (stbp_edu.forward, {**RUN, "spike": P.neuron.H}),
    "network.forward": (network.forward, {**RUN, "spike": P.neuron.H}),
    "engine.backward": (stbp_edu.backward, {**PASS, "rule": "exact", "loss": losses.Rate()}),
    "a direct term": (lambda loss: stbp_edu.backward(**PASS, loss=loss), {"loss": DIRECT}),
    "a loss of one's own": (
        lambda targets: stbp_edu.backward(**{**PASS, "targets": targets}, loss=OwnLoss()),
        {"targets": P.targets}),
    "cases.sweep": (cases.sweep, {**PASS, "rule": "exact"}),
    "loss": (stbp_edu.loss, {"trace": P.trace, "targets": P.targets, "loss": losses.Rate()}),
    **{
        f"{kind.__name__}.{method}": (
            getattr(kind(), method), {"trace": OUTPUT, "targets": LABELS},
        )
        for kind in OF_LABELS for method in ("value", "direct")
    },
    **{kind.__name__: (kind, {"k": 1}) for kind in (losses.LastSteps, losses.Membrane)},
    **{
        f"{kind.__name__} reads k steps": (
            lambda k, kind=kind: kind(k).direct(P.trace, LABELS), {"k": 4},
        )
        for kind in (losses.LastSteps, losses.Membrane)
    },
    "CrossEntropy": (losses.CrossEntropy, {"counts": False}),
    "case_at": (cases.case_at, {"t": 1, "n": 1, "T": 3, "N": 2}),
    "backward_gate": (backward_gate, {"neuron": P.neuron, "rule": "exact"}),
    "autodiff": (autodiff.derivatives, WHOLE),
    "differences": (finite_difference.partial, {"node": paths.Node("b", n=1, i=0), **WHOLE}),
    "count_paths": (paths.count_paths, {"start": START, "graph": GRAPH}),
    "paths_from": (paths.paths_from, {"start": START, "local": GRAPH}),
    "paths": (paths.derivatives, {**PASS, "rule": "exact"}),
    "symbols": (polynomials.symbols, {"sizes": [2, 1], "T": 2}),
    "prove": (polynomials.prove, {"sizes": [1, 1], "T": 1, "rule": "exact"}),
    "encode": (
        encode,
        {"encoder": "bernoulli", "pixels": DIGITS.test_images[:2].reshape(2, 64), "T": 2,
         "rng": rng()},
    ),
    "evaluate": (
        evaluate,
        {"params": stbp_edu.init_params([64, 3, 10], rng(), np.float32),
         "images": DIGITS.test_images[:3], "labels": DIGITS.test_labels[:3],
         "settings": SMALL, "rng": rng(), "encodings": 1},
    ),
    "Settings": (
        Settings,
        {f.name: f.default for f in dataclasses.fields(Settings)}
        | {"learn": ("tau",), "learn_each": ("v_th",), "neuron": LINES, "readout": LINES},
    ),
    "report.run": (report.run, {"seed": 0, "rounds": 1}),
    "check": (practice.check, {"exercise_id": "c3-delta", "function": None}),
    "check_formula": (practice.check_formula, {"equation_id": "c3-delta", "answer": "delta_T"}),
    "check_network": (practice.check_network, {"function": None}),
    "hint": (practice.hint, {"exercise_id": "c3-delta"}),
    "solution": (practice.solution, {"exercise_id": "c3-delta"}),
    "predict": (
        practice.predict, {"prediction_id": "c3-holds", "answer": "t = 1", "measured": "t = 2"},
    ),
    "hunt": (practice.hunt, {"k": 1, "case": 1, "term": "direct", "symptom": "T=1"}),
    "save_params": (files.save_params, {"path": FOLDER / "new.npz", "params": P.params}),
    "load_params": (files.load_params, {"path": FOLDER / "params.npz"}),
    "train": (
        lambda settings, data, state: type(next(train(settings, data, state))),
        {"settings": SMALL, "data": DIGITS, "state": None},
    ),
    "RunConfig": (
        RunConfig,
        {"dataset": "digits", "settings": SMALL, "data": DIGITS, "folder": FOLDER,
         "held_out": "test", "encodings": 5},
    ),
}  # fmt: skip


WRONG: dict[tuple[str, str], dict[str, Any]] = {
    **{(name, "k"): {"more than there are": 5} for name in CALLS if name.endswith("k steps")},
    ("report.run", "rounds"): {"more than a day takes": 2**40},
    ("case_at", "t"): {"T": 3},
    ("case_at", "n"): {"N + 1": 3},
    ("LIF", "surrogate"): {
        "its class": Gaussian,
        "half of it": SimpleNamespace(derivative=np.exp),
        "no functions": SimpleNamespace(derivative=1.0, antiderivative=2.0),
    },
    **{
        (f"{kind}CrossEntropy.{method}", "targets"): {
            "rows that sum to 2": 2 * LABELS,
            "a row that sums to 0": LABELS * [[1.0], [0.0]],
            "an entry below 0": np.array([[1.5, -0.5], [0.0, 1.0]]),
        }
        for kind in ("", "Step")
        for method in ("value", "direct")
    },
    ("engine.backward", "loss"): {
        "its class": losses.Rate,
        "no function": SimpleNamespace(direct=3),
        "no direct term": SimpleNamespace(direct=lambda *_: None),
        "an empty direct term": losses.Direct(None),
    },
    ("loss", "trace"): {"outputs in a list": Trace(P.trace.U, [P.trace.O[-1].tolist()])},
    ("loss", "loss"): {"its class": losses.Rate, "a direct term": DIRECT},
}
"""What is wrong of one argument alone."""


def same(good: Any) -> dict[str, Any]:
    """Return the right value in forms that must work just as well."""
    if not isinstance(good, np.ndarray):
        return {}
    wide = np.zeros((*good.shape[:-1], 2 * good.shape[-1]), good.dtype)
    wide[..., ::2] = good
    frozen = good.copy()
    frozen.flags.writeable = False
    others = {"not contiguous": wide[..., ::2], "Fortran order": np.asfortranarray(good)}
    return {"read-only": frozen, **others}


NO_DEFAULT = {  # the good call is made with another value than the default
    *((name, "spike") for name in ("engine.forward", "network.forward")),
    *(("hunt", argument) for argument in ("case", "term", "symptom")),
    *(("predict", argument) for argument in ("answer", "measured")),
    ("report.run", "rounds"),
    *(("Settings", argument) for argument in ("learn", "learn_each", "neuron", "readout")),
}
LEFT_OUT = object()
SLOW = ("report.run", "symbols", "paths")
NAMES = [pytest.param(name, marks=pytest.mark.slow) if name in SLOW else name for name in CALLS]


def right_values(name: str, argument: str) -> dict[str, Any]:
    """Return what must give the same result, also that the argument is not given."""
    function, good = CALLS[name]
    default = inspect.signature(function).parameters[argument].default is not inspect._empty
    left_out = default and (name, argument) not in NO_DEFAULT
    return same(good[argument]) | ({"left out": LEFT_OUT} if left_out else {})


@pytest.fixture(autouse=True)
def _own_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep what is checked here out of the reader's own file."""
    monkeypatch.setenv("STBP_EDU_PROGRESS", str(FOLDER / "progress.json"))


def equal(a: Any, b: Any) -> bool:
    """Return whether two results are the same."""
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and np.array_equal(a, b)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(equal, a, b))
    if dataclasses.is_dataclass(a):
        return type(a) is type(b) and all(map(equal, vars(a).values(), vars(b).values()))
    return bool(a == b)


@pytest.mark.usefixtures("two_neurons")
@pytest.mark.parametrize("name", NAMES)
def test_other_forms_of_a_right_argument_give_the_same_result(name: str) -> None:
    """Read-only, not contiguous, in Fortran order; and left out where it has a default."""
    function, good = CALLS[name]

    def result(given: dict[str, Any]) -> Any:
        """Return the result, with generators that have drawn nothing yet."""
        fresh = {k: rng() if isinstance(v, np.random.Generator) else v for k, v in given.items()}
        return function(**{k: v for k, v in fresh.items() if v is not LEFT_OUT})

    forms = [(argument, one) for argument in good for one in right_values(name, argument).values()]
    for argument, value in forms:
        assert equal(result({**good, argument: value}), result(good)), argument


@pytest.mark.parametrize("place", WRONG, ids=".".join)
def test_what_is_wrong_of_one_argument_alone_is_refused(place: tuple[str, str]) -> None:
    function, good = CALLS[place[0]]
    for value in WRONG[place].values():
        with pytest.raises((TypeError, ValueError), match=rf"\b{place[1]}\b"):
            function(**{**good, place[1]: value})


OF_ODE = ("u", "current", "dt")
OF_RING = ("size", "bandwidth", "latency", "compute")
LEAF = lambda x: SimpleNamespace(grad=x)  # noqa: E731 - a tensor that has its gradient
CONV = convolution.init_conv_params("4x4x1-2C3-2", rng())
MORE = good_calls(
    [
        *(ode.slope, ode.euler_step, ode.exact_step),
        *(machines.idle_share, machines.ring_seconds, machines.step_seconds),
        *(machines.whole_gradient, convolution.init_conv_params, convolution.read_shape),
        *(LIF.f, LIF.df, LIF.g, LIF.h, LIF.H),
        *(Gaussian.derivative, Gaussian.antiderivative, practice.by_autograd, stbp_edu.loss),
        *(losses.read_loss, rules.check_rule, paths.total),
    ],
    {
        **PASS, "u": 0.5, "current": 1.0, "dt": 0.1, "tau": 0.5, "T": 3, "N": 2, "P": 2,
        "size": 1e6, "bandwidth": 1e8, "latency": 1e-3, "compute": 0.1, "counts": [1, 2],
        "means": [np.ones(2), np.zeros(2)], "shape": "4x4x1-2C3-2", "rng": rng(),
        "dtype": np.float64, "scheme": "unit-rows", "scale": 1.0, "self": P.neuron,
        "o": np.zeros((2, 2)), "U": P.trace.U, "O": P.trace.O, "W": P.params.W, "b": P.params.b,
        "v": np.zeros((2, 2)), "loss": losses.RATE, "leaf": LEAF, "method": "direct",
        "rule": "exact", "paths": paths.paths_from(START, GRAPH), "sizes": (2, 1), "S": 2,
    },
    {
        **{f"LIF.{name}": {"u": np.zeros((2, 2))} for name in "ghH"},
        **{f"Curve.{name}": {"self": Gaussian()} for name in ("derivative", "antiderivative")},
        **{f"Gaussian.{name}": {"self": Gaussian()} for name in ("derivative", "antiderivative")},
        "by_autograd": {"loss": len},
    },
)  # fmt: skip
WHOLE = (LocalDerivatives, GraphPath, LIF, SimpleNamespace, Settings)
REAL = ("a fraction", "zero", "below zero", "a large integer")
POSITIVE = ("a fraction", "a large integer")
SHAPES = ("one axis more", "one axis less", "one entry more", "no entries", "half floats")
ODD = ("a NaN", "a NaN in it", "infinity", "an infinity in it", "wide floats", "big-endian")
ELEMENTWISE = (*REAL, *SHAPES, *ODD, "an empty array", "five axes")
READ = [f"{kind.__name__}.{method}" for kind in OF_LABELS for method in ("value", "direct")]
OPEN = (
    *((f"{where}.forward", "spike") for where in ("engine", "network")),
    *(("Membrane", "k"), ("Membrane reads k steps", "k"), ("train", "state")),
    *(("predict", "measured"), ("hunt", "term"), ("hunt", "symptom")),
)
"""Arguments for which None says something: all steps, a new start, nothing predicted yet."""
NO_NUMBER = ("hidden", "learn", "learn_each")  # settings that may be empty
MAY_BE_ZERO = ("T_test", "read", "momentum", "weight_decay", "averaging", "shift", "dropout")
ACCEPT = {  # what is no mistake, or stands for the default
    **{place: ("None",) for place in OPEN},
    **{("Settings", f.name): POSITIVE for f in dataclasses.fields(Settings)},
    **{("Settings", name): (*POSITIVE, "zero") for name in MAY_BE_ZERO},
    **{("Settings", name): (*POSITIVE, "zero") for name in ("adversarial", "seed", "gain_limit")},
    **{("Settings", name): ("an empty list", "one entry less") for name in NO_NUMBER},
    **{("Settings", name): ("an empty word",) for name in ("neuron", "readout")},
    ("Settings", "v_th"): REAL,
    ("report.run", "seed"): ("zero", "a large integer"),
    **{("*", name): ("big-endian",) for name in ("labels", "train_labels", "test_labels")},
    ("case_at", "t"): ("zero",),  # the first step
    ("hunt", "case"): ("None", "zero"),  # not said yet; the loops
    # What a reader hands in is judged, whatever it is: see tests/practice/test_odd_answers.py.
    **{(name, "function"): ("*",) for name in ("check", "check_network")},
    ("check_formula", "answer"): ("*",),
    **{(f"LIF.{name}", "u"): ELEMENTWISE for name in ("g", "h", "H")},
    **{(f"LIF.{name}", "o"): ELEMENTWISE for name in ("f", "df")},
    **{(f"Curve.{name}", "v"): ELEMENTWISE for name in ("derivative", "antiderivative")},
    **{(name, x): REAL for name in ("slope", "euler_step", "exact_step") for x in OF_ODE},
    **{("*", name): POSITIVE for name in ("a", "tau", "scale", *OF_RING)},
    **{("*", name): ("a large integer",) for name in ("T", "N", "P", "k")},
    **{(name, "U"): ("*",) for name in (*READ, "loss")},  # the loss reads one of the two
    **{(name, j): ("*",) for name in ("differences", "count_paths", "paths_from") for j in "jt"},
    **{(name, "O"): ("*",) for name in (*READ, "loss")},  # another number of steps
    **{(name, "spikes"): ("one entry more",) for name in ("engine.forward", "network.forward")},
    **{(name, "spikes"): ("one entry more",) for name in ("differences", "autodiff")},
    **{(name, "U"): ("*",) for name in ("cases.sweep", "engine.backward", "paths")},  # of the input
    ("LIF", "v_th"): REAL,
    ("RunConfig", "dataset"): ("a word", "an empty word"),
    **{("*", name): ("*",) for name in ("settings", "test_images")},  # see tests/training
    ("whole_gradient", "counts"): ("a large integer",),
    ("by_autograd", "leaf"): ("a function",),
    ("by_autograd", "loss"): ("a function",),
    ("encode", "pixels"): ("one entry more",),
    ("predict", "answer"): ("None", "an empty word"),
    ("total", "paths"): ("an empty list", "one entry less", "one entry more"),
}
"""Wrong values that are none: other numbers, other shapes of what is taken entry by entry."""
EVERY = [*MORE, *(Call(name, *pair) for name, pair in CALLS.items() if name not in SLOW)]


@settings(max_examples=20 * settings().max_examples)
@given(bad_calls(EVERY, WHOLE))
def test_no_bad_call_is_raw_or_accepted(call: Call) -> None:
    assert not call.fault(ACCEPT)


@pytest.mark.usefixtures("two_neurons")
@pytest.mark.parametrize("name", NAMES)
def test_no_wrong_argument_is_raw_or_accepted(name: str) -> None:
    call = Call(name, *CALLS[name])
    each = [(argument, kind) for argument, value in call.arguments.items() for kind in wrong(value)]
    made = (dataclasses.replace(call, place=(argument,), kind=kind) for argument, kind in each)
    assert not [said for one in made if (said := one.fault(ACCEPT))]
