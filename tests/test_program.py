"""The engine: the derived program of any text under any rule, on arrays and compiled.

What it has in common with the sweep of Part I, tests/test_properties.py holds.
"""

import os
import tracemalloc
from dataclasses import replace
from functools import partial
from itertools import product

import numpy as np
import pytest

import stbp_edu
from stbp_edu import LIF, Gaussian, arrows, cases, derive
from stbp_edu.arrows import (
    RULES,
    draw_params,
    hard_reset,
    in_blocks,
    soft_reset,
)
from stbp_edu.losses import Membrane
from stbp_edu.program import chosen, in_loops, loops
from stbp_edu.program.in_loops import ByPython, compiled, installed
from stbp_edu.program.loop_text import text_of
from stbp_edu.surrogates import SURROGATES
from stbp_edu.verify import autodiff
from tests.arrows.oracle import error
from tests.derive.texts import assert_single, derived, in_dtype, run_of
from tests.networks import (
    assert_close,
    failures,
    fast_backward,
    fast_forward,
    make_problem,
    network_of,
)
from tests.programs import Program, assert_part_two, assert_same_bits

SAMPLES = {"quick": (6, 2), "more": (30, 4)}  # compiling takes seconds a text
ON_ARRAYS, COMPILED = SAMPLES.get(os.environ.get("STBP_EXAMPLES", "quick"), (300, 300))
numba = pytest.mark.skipif(not installed(), reason="Numba is not installed")
BACKENDS = ["numpy", pytest.param("compiled", marks=[numba, pytest.mark.slow])]


class Half(Gaussian):
    def derivative(self, v):
        return super().derivative(v) / 2


def single(params):
    return [None, *({k: np.float32(v) for k, v in p.items()} for p in params[1:])]


def assert_near_in_single(net, params, inputs, y, rule, backend):
    """In float32 the gradients are near; both are of one run, as rounding may move a spike."""
    low = in_dtype(arrows.forward(net, params, inputs), np.float32)
    run_back = partial(
        Program(net, rule, backend).gradients, single(params), low, np.float32(y)
    )
    assert_single(run_back, net, params, low, y, rule)


def drawn(seed):
    """A drawn text on a network, with what it runs on, and the rules that keep something there."""
    run = run_of(derived(seed, spikes=seed % 7 > 0).neuron, seed)
    return run, [rule for rule in RULES if RULES[rule].keeps(run[0])]


@pytest.mark.parametrize("seed", range(ON_ARRAYS))
def test_a_drawn_text_on_arrays_equals_part_two(seed):
    run, rules = drawn(seed)
    for rule, judge in product(rules, (assert_part_two, assert_near_in_single)):
        judge(*run, rule, "numpy")


@numba
@pytest.mark.slow
@pytest.mark.parametrize("seed", range(COMPILED))
def test_a_drawn_text_as_compiled_loops_equals_part_two(seed):
    """A rule and a precision each: all of them come up many times among many texts."""
    run, rules = drawn(seed)
    judges = [assert_part_two, assert_near_in_single]
    if COMPILED < 300:
        rules, judges = [rules[seed // 2 % len(rules)]], [judges[seed % 2]]
    for rule, judge in product(rules, judges):
        judge(*run, rule, "compiled")


STEEP = (
    "0.5 * u / (0.3 + exp({k} * (1 - o))) + x",
    "0.5 * u / (1 + 1{zeros} ** (1 - o)) + x",
    "u * exp(-{k} * o) + x",
    "0.4 * u + x - 0.3 * tanh({k} * (o - 0.5))",
    "0.4 * u / (1 + {k} * o ** 2) + x * sqrt(1 - 0.9 * o)",
    "0.3 * u + x - 0.2 * log(1 + 1{zeros} * o) / {k}",
)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("line", STEEP)
def test_a_function_that_is_steep_in_the_spike_loses_no_digit(line, backend):
    """It is large at one value of the spike, and small at the other."""
    for k in (2, 16, 18, 30) if backend == "numpy" else [18]:  # compiling takes seconds
        text = f"u = {line.format(k=k, zeros='0' * (k // 2))}\no = spike(u - 0.2)"
        run = run_of(derive(text).neuron, k, "2-3R-2")
        for twin in (False, True):
            assert_part_two(*run, "exact", backend, twin=twin)


def course_network(sizes="70-80R-5"):
    """An adaptive neuron with a current, and a read-out that does not spike."""
    hidden = arrows.with_adaptation(
        arrows.with_current(soft_reset(LIF(v_th=0.5), learn_leak=True), 0.6), 0.4, 0.8
    )
    read_out = derive("u = kappa * u + x", kappa=0.9, learn_each=["kappa"]).neuron
    net = arrows.network(sizes, [hidden, read_out], Membrane(5))
    rng = np.random.default_rng(3)
    params = draw_params(net, rng, scale=2.0)
    return net, params, (rng.random((9, 6, 70)) < 0.15) * 1.0, rng.random((6, 5))


@pytest.mark.parametrize(
    "rule", ["e-prop", in_blocks(3, "classic")], ids=["e-prop", "blocks"]
)
@pytest.mark.parametrize("backend", BACKENDS)
def test_events_recurrence_and_a_read_out(backend, rule):
    """Layers so wide and spikes so rare that the loops go through spikes."""
    assert_part_two(*course_network(), rule, backend)


@pytest.mark.parametrize("sizes", ["70-80R-5", "70-81-5"])
@pytest.mark.parametrize("backend", BACKENDS)
def test_the_number_of_threads_changes_no_bit(backend, sizes, monkeypatch):
    monkeypatch.setattr("stbp_edu.program.machine.LEAST", 0)
    net, params, inputs, y = course_network(sizes)
    assert_same_bits(net, single(params), np.float32(inputs), np.float32(y), backend)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("line", ["tau * u + x + min(u, 1 / o)", "tanh(tau * u + x)"])
def test_a_line_may_be_a_function_or_infinite_where_no_spike_is(line, backend):
    mine = derive(f"u = {line}\no = spike(u - 0.3)", tau=0.5)
    net = arrows.network("3-4", mine.neuron)
    rng = np.random.default_rng(0)
    params, inputs = draw_params(net, rng), rng.random((5, 3, 3))
    with np.errstate(divide="ignore"):
        expected = arrows.forward(net, params, inputs)["u"][1]
        found = Program(net, backend=backend).forward(params, inputs)["u"][1]
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize("kind", [None, ByPython])
def test_a_layer_may_hear_of_no_error(kind):
    """The rule keeps no path from its weights to the loss; those of the last layer have some."""
    late = derive("u = 0.6 * u + 0.5 * s\ns = 0.4 * s + x\no = spike(u - 0.3)").neuron
    net = arrows.network("2-3-2", [late, hard_reset(LIF())])
    rng = np.random.default_rng(0)
    params, inputs, y = draw_params(net, rng), rng.random((4, 2, 2)), rng.random((2, 2))
    program = Program(net, "spatial-only", "numpy", kind=kind)
    trace = arrows.forward(net, params, inputs)
    expected = arrows.backward(net, params, trace, y, "spatial-only").gradients
    assert error(program.gradients(params, trace, y), expected) < 1e-12
    assert not expected[1]["W"].any()
    assert expected[2]["W"].any()


def test_what_cannot_be_compiled_is_said(monkeypatch):
    net = arrows.network("3-2", hard_reset(LIF(surrogate=Half(0.5))))
    assert chosen("auto", net) == "numpy"
    if installed():
        with pytest.raises(TypeError, match="surrogate of layer 1 cannot be compiled"):
            chosen("compiled", net)
    monkeypatch.setattr("stbp_edu.program.installed", lambda: False)
    plain = arrows.network("3-2", hard_reset(LIF()))
    with pytest.raises(ImportError, match=r"needs Numba.*pip install numba"):
        chosen("compiled", plain)
    assert chosen("auto", plain) == "numpy"


NEURON = LIF(tau=0.5, v_th=0.6, surrogate=Gaussian(0.5))


@pytest.mark.parametrize("neuron", [NEURON, replace(NEURON, surrogate=Half(0.5))])
@pytest.mark.parametrize("n", [1, 2])
def test_one_spike_between_0_and_1_is_enough_to_need_the_gate_itself(n, neuron):
    """In one layer of two, and in one entry; the surrogate may be a curve of one's own."""
    problem = make_problem(2, [5, 7, 3], T=4, S=3, neuron=neuron)
    trace = problem.trace
    trace.O[n][:-1, :, 0] = 0.5
    args = (trace, problem.targets, problem.params, neuron)
    assert_close(fast_backward(*args).W, cases.sweep(*args).gradients.W, "dL/dW")


@pytest.mark.parametrize("backend", BACKENDS)
def test_many_samples_which_run_in_several_blocks_equal_autodiff(backend):
    net = make_problem(0, [2, 4, 2], T=6, S=30_000, neuron=NEURON)
    fast = network_of((2, 4, 2), NEURON, backend)
    got = fast.backward(fast.forward(net.spikes, net.params), net.targets, net.params)
    assert not failures(got, autodiff.derivatives(*net))


@pytest.mark.slow  # a second
def test_a_step_at_full_size_fits_in_150_megabytes():
    problem = make_problem(
        0, [784, 800, 10], T=30, S=100, neuron=NEURON, dtype=np.float32
    )
    tracemalloc.start()
    trace = fast_forward(problem.spikes, problem.params, NEURON)
    fast_backward(trace, problem.targets, problem.params, NEURON)
    peak = tracemalloc.get_traced_memory()[1] + problem.spikes.nbytes
    tracemalloc.stop()
    assert peak < 150e6


def test_the_quick_exponential_is_the_exponential():
    y = np.linspace(-86, 88, 500, dtype=np.float32)
    with np.errstate(over="raise", invalid="raise"):
        assert loops.quick_exp(np.float32(1e4)) == loops.quick_exp(np.float32(88))
    with np.errstate(all="ignore"):
        found = np.array([loops.quick_exp(one) for one in y])
        assert np.isnan(loops.quick_exp(np.float32("nan")))
    np.testing.assert_allclose(found, np.exp(y.astype(float)), rtol=4e-7)


@numba
@pytest.mark.slow
def test_a_cut_file_of_compiled_code_is_made_again(tmp_path, monkeypatch, caplog):
    """The first time, a line says that compiling takes a while, and where the result is kept."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    caplog.set_level("INFO", "stbp_edu")
    source = "@jit\ndef forward(a):\n    return a + a\n"
    for _ in range(3):
        compiled.cache_clear()
        functions = compiled(source, np.dtype(np.float64))
        assert functions["forward"](2.0) == 4.0
        kept = [path for path in tmp_path.rglob("*.nb?") if path.is_file()]
        assert {path.suffix for path in kept} == {".nbi", ".nbc"}
        for path in kept:
            path.write_bytes(path.read_bytes()[:-50])
    (said,) = caplog.messages
    assert said.endswith(f"they are kept in {tmp_path / 'stbp_edu'}")
    compiled.cache_clear()


@numba
def test_a_cache_that_cannot_be_written_to_is_said(tmp_path, monkeypatch, caplog):
    file = tmp_path / "file"
    file.write_text("in place of a folder")
    monkeypatch.setenv("XDG_CACHE_HOME", str(file))
    caplog.set_level("INFO", "stbp_edu")
    compiled.cache_clear()
    compiled("def forward(a):\n    return a\n", np.dtype(np.float64))
    (said,) = caplog.messages
    assert "cannot be written to" in said
    compiled.cache_clear()


@numba
def test_what_is_compiled_depends_on_the_version_and_on_every_source(monkeypatch):
    before = in_loops._versions()
    assert stbp_edu.__version__ in before
    assert any("def settled" in text or '"settled"' in text for text in before)
    assert any("def add_rows" in text for text in before)


@pytest.mark.parametrize("name", SURROGATES)
def test_the_curves_of_the_loops_are_those_of_the_surrogate(name):
    """Also outside the windows of the piecewise ones; Python runs them, so nothing is compiled."""
    curve, v = SURROGATES[name](a=0.5), np.linspace(-5, 5, 101)
    net = arrows.network("2-1", hard_reset(LIF(surrogate=curve)))
    steps = Program(net, backend="numpy").layers[1]
    source = text_of(steps.program, steps.wanted)
    h = in_loops.interpreted(source, np.dtype(float))["h"]
    np.testing.assert_allclose([h(x) for x in v], curve.derivative(v), rtol=1e-14)
