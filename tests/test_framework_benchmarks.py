"""The comparison with the frameworks, without them and without asserting a time."""

import argparse
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.frameworks import (
    __main__,
    candidate_process,
    problem,
    processes,
    side_by_side,
    trainer_step,
)
from benchmarks.frameworks.candidate import BY_NAME, ENTRIES, Entry
from stbp_edu import cases, network

pytestmark = pytest.mark.slow  # processes take their time to start

SMALL = problem.Size(T=2, batch=20, width=32)
NONE = Entry("none", "A framework that is not here", "none:build", ("no_such_framework",))


@pytest.fixture(autouse=True)
def _without_network(monkeypatch):
    def unreachable(name):
        raise FileNotFoundError(name)

    monkeypatch.setattr(problem, "load_dataset", unreachable)


@pytest.fixture
def small(tmp_path):
    drawn, _ = problem.draw(SMALL)
    path = tmp_path / "problem.npz"
    problem.save(drawn, path)
    return drawn, path


def test_without_mnist_the_digits_are_enlarged_and_the_record_says_so():
    pixels, labels, name = problem.everything()
    assert pixels.shape == (len(labels), 784)
    assert pixels.dtype == np.uint8
    assert pixels.max() == 255
    assert 0 < pixels.any(axis=0).mean() < 1
    assert set(labels) <= set(range(10))
    assert "digits" in name


def test_a_problem_is_read_as_it_was_written(small):
    drawn, path = small
    found = problem.read(path)
    assert found.size == SMALL
    for name in ("pixels", "labels", "spikes", "targets"):
        np.testing.assert_array_equal(getattr(found, name), getattr(drawn, name))
    for n in (1, 2):
        np.testing.assert_array_equal(found.params.W[n], drawn.params.W[n])
    assert found.cast(np.float64).params.dtype == np.float64


def test_lit_only_leaves_out_the_unlit_pixels_and_nothing_else():
    whole, _ = problem.draw(SMALL)
    lit, _ = problem.draw(problem.Size(T=2, batch=20, width=32, lit_only=True))
    assert lit.pixels.shape[1] == whole.pixels.any(axis=0).sum()
    assert lit.pixels.any(axis=0).all()
    assert lit.params.sizes[0] == lit.pixels.shape[1] < 784


def test_the_linear_gate_of_the_problem_is_decay_and_reset_to_zero():
    spikes = np.array([0.0, 1.0])
    np.testing.assert_allclose(problem.NEURON.f(spikes), [problem.NEURON.tau, 0])


@pytest.mark.parametrize("v", [-0.7, -0.1, 0.0, 0.3])
def test_the_surrogate_is_that_of_norse_and_spikingjelly(v):
    norse = 2 / np.sqrt(np.pi) * np.exp(-((2 * v) ** 2))  # heavi_erfc, k = 2
    assert problem.NEURON.surrogate.derivative(np.array([v]))[0] == pytest.approx(norse)


def test_distance_finds_a_wrong_array():
    right = [np.array([1.0, 2.0]), np.array([4.0])]
    assert candidate_process.distance(right, right) == 0
    assert candidate_process.distance([right[0], np.array([3.0])], right) == 0.25


def test_the_reference_is_the_sweep_and_tells_the_rules_apart(small):
    drawn = small[0].cast(np.float64)
    trace = network.forward(drawn.spikes, drawn.params, problem.NEURON)
    sweep = cases.sweep(trace, drawn.targets, drawn.params, problem.NEURON).gradients
    exact = candidate_process.reference(drawn, "exact")
    assert candidate_process.distance(exact[::2], sweep.W[1:]) == 0
    assert candidate_process.distance(exact[1::2], sweep.b[1:]) == 0
    assert (
        candidate_process.distance(candidate_process.reference(drawn, "detached-reset"), exact)
        > 1e-4
    )


@pytest.mark.parametrize("name", ["ours", "ours-all-pixels"])
def test_our_step_in_a_process_has_the_gradient_of_the_whole_batch(small, name):
    found = processes.ask(BY_NAME[name], small[1], "check")
    assert set(found) == {"float32"}
    assert found["float32"] < 1e-5


def test_a_learned_network_answers_images_perfectly_and_its_gradient_is_the_same(small):
    drawn, path = small
    entry = BY_NAME["ours-learned"]
    files = side_by_side.write(drawn, [BY_NAME["ours"], entry], path.parent)
    found = problem.read(files[True])
    assert trainer_step.perfect(drawn) == 0
    assert 0 < trainer_step.perfect(found) < SMALL.batch
    np.testing.assert_array_equal(problem.read(files[False]).params.W[1], drawn.params.W[1])
    assert processes.ask(entry, files[True], "check")["float32"] < 1e-5


def test_processes_take_turns_and_answer_for_each_step(small):
    with processes.Process(BY_NAME["ours"], small[1], "time") as process:
        assert process.answer() == {"ready": True}
        assert len(process.turn(3)) == 3
        assert all(ms > 0 for ms in process.turn(2))


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells the peak")
def test_memory_is_measured(small):
    assert side_by_side.memory(BY_NAME["products"], small[1]) > 0


def test_a_process_that_fails_says_why(small):
    with (
        processes.Process(NONE, small[1], "time") as process,
        pytest.raises(processes.CandidateError, match="none"),
    ):
        process.answer()


def test_what_is_not_installed_is_named():
    assert NONE.missing() == ["no_such_framework"]
    assert NONE.versions() == {}


def test_names_are_unique_and_rules_known():
    assert len(BY_NAME) == len(ENTRIES)
    assert {e.name for e in ENTRIES if e.rule != "exact"} == {"snntorch", "snntorch-compile"}
    assert {e.name for e in ENTRIES if e.peer} == {"snntorch", "spikingjelly", "norse"}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--rounds", "1"], "--rounds must be >= 2"),
        (["--only", "ours,tensorflow"], "tensorflow"),
        (["--quick", "--write"], "leave out --quick"),
    ],
)
def test_bad_arguments_are_named(arguments, words):
    command = [sys.executable, "-m", "benchmarks.frameworks", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, cwd=processes.ROOT)
    assert done.returncode == 2
    assert words in done.stderr


def test_quick_runs_without_any_framework():
    args = argparse.Namespace(quick=True, home=False, rounds=2, only="products")
    record = __main__.measured(args)
    (cell,) = record["cells"]
    assert [r["name"] for r in cell["rows"]] == ["products"]
    assert (cell["width"], cell["rounds"], cell["failed"]) == (50, 2, {})
    assert record["entries"][0]["gradients"] == {}


def test_a_framework_that_fails_is_in_the_record_with_its_words(small, monkeypatch):
    monkeypatch.setattr(side_by_side, "draw", lambda _: (small[0], "digits"))
    cell = side_by_side.measured_at(
        SMALL, [BY_NAME["products"], NONE], 2, small[1].parent, with_memory=False
    )
    assert [r["name"] for r in cell["rows"]] == ["products"]
    assert "none" in cell["failed"]["none"]
