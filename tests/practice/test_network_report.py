"""check_network: the right pass is right, and a wrong one is traced to its first wrong cell."""

import numpy as np
import pytest

import stbp_edu
from stbp_edu.practice import check, check_network, exercises
from stbp_edu.practice.grading import verdict
from stbp_edu.practice.tasks import step_name
from stbp_edu.practice.tasks.inputs import wide_network

pytestmark = pytest.mark.slow  # each answer is tried on all networks

BACKWARD = exercises()["backward"]
SOLUTION = BACKWARD.function()


def edited(old, new):
    """Return the whole backward pass with one edit."""
    assert old in BACKWARD.solution
    return BACKWARD.function(BACKWARD.solution.replace(old, new))


def changed(change):
    """Return the whole backward pass with a change of each gradient, which is told the network."""

    def answer(trace, targets, params, neuron):
        found = SOLUTION(trace, targets, params, neuron)
        return [
            [None, *(change(g, trace, params, neuron) for g in part[1:])]
            for part in found
        ]

    return answer


def test_right_passes_are_right_in_every_case():
    report = check_network(stbp_edu.backward)
    assert report.right
    assert [c.wrong for c in report.cases] == [0] * 5


WRONG_IN = {
    "the linear gate": lambda trace, params, neuron: neuron.gate == "linear",
    "one sample": lambda trace, params, neuron: trace.O[0].shape[1] == 1,
    "four layers": lambda trace, params, neuron: params.N >= 4,
}


@pytest.mark.parametrize("where", WRONG_IN)
def test_what_is_wrong_in_some_networks_alone_is_wrong(where, monkeypatch):
    for search in ("single_mistake", "wrong_cases"):  # which take seconds
        monkeypatch.setattr(verdict, search, lambda *_: [])
    wrong = changed(lambda g, *net: g * (1 + WRONG_IN[where](*net)))
    assert not check_network(wrong).right


@pytest.mark.parametrize(
    ("factor", "state"), [(1 + 5e-6, "right"), (1 + 1e-4, "wrong")]
)
def test_one_tolerance_decides_in_check_and_in_check_network(factor, state):
    answer = changed(lambda g, *_: (g * factor).astype(np.float32))
    report = check_network(answer)
    feedback = check("backward", answer)
    assert report.state == feedback.state == state
    assert state == "wrong" or not any(c.wrong for c in report.cases)


@pytest.mark.parametrize(
    ("old", "new", "case", "first", "words"),
    [
        ("-(Y - O[N]", "(Y - O[N]", 1, (3, 3), "sign of the direct term"),
        ("@ W[n + 1]", "@ W[n + 1] * 0.5", 2, (3, 2), "layer above is 0.5 times"),
        ("@ W[n + 1]", "@ abs(W[n + 1])", 2, (3, 2), "no sum"),
        ("* neuron.df(", "* -neuron.df(", 3, (2, 3), "sign of the reset term"),
        ("+ e\n", "+ (e if n == N else 0)\n", 4, (2, 2), "the carry is missing"),
    ],
)
def test_the_first_wrong_cell_and_the_term(old, new, case, first, words):
    report = check_network(edited(old, new))
    found = report.cases[case - 1]
    assert found.first == f"{step_name(first[0])}, n = {first[1]}"
    assert words in found.explanation
    assert not report.right
    assert report.items[0] == f"tried on the {wide_network().description}"
    assert "spiking network" not in repr(report), "it speaks of one network"


def test_a_case_that_passes_on_an_error_is_not_blamed():
    report = check_network(edited("-(Y - O[N]", "(Y - O[N]"))
    assert report.cases[3].wrong == report.cases[3].cells
    assert report.cases[3].explanation == ""
    assert "passes back an error" in repr(report)


def test_nothing_that_the_function_does_reaches_the_reference():
    def vandal(trace, targets, params, neuron):
        for array in (*trace.U[1:], *trace.O, targets, *params.W[1:]):
            array[...] = 0.0
        return SOLUTION(trace, targets, params, neuron)

    assert not check_network(vandal).right
    assert check_network(SOLUTION).right
