"""The bug hunt: the right program, the bugs, what their rows of the table say, and the answers.

Whether a bug fails as its row says is judged anew: on other networks than those that made the
table, and by autograd, which shares no backward code with the package.
"""

from functools import cache

import numpy as np
import pytest

from stbp_edu.network import Params, forward
from stbp_edu.practice import hunt, progress_report
from stbp_edu.practice.bug_hunt.bugs import PROGRAM, bugs, defined
from stbp_edu.practice.bug_hunt.symptoms import SYMPTOMS, evidence
from stbp_edu.practice.saved_progress import path
from stbp_edu.practice.tasks import ForwardPass, draw_network
from stbp_edu.practice.tasks.inputs import probe_networks
from stbp_edu.verify import autodiff
from tools.pages.names import bug_hunt, by_symptoms
from tools.templates import filled

BUGS = bugs()
SIZES = (6, 3, 5, 4, 2)
OTHERS = {  # sizes, T and S, none of them as in the networks that made the table
    "T=1": (SIZES, 1, 4),
    "T=2": (SIZES, 2, 4),
    "T=5": (SIZES, 5, 4),
    "S=1": (SIZES, 5, 1),
    "widths": ((3,) * 5, 5, 4),
}


def args(net):
    return net.trace, net.targets, net.params, net.neuron


@cache
def others():
    """Return networks by name, each with autograd's gradients: spiking, and its smooth twin."""
    drawn = {
        name: [draw_network(4000 + smooth, *shape, tau=0.5, smooth=smooth) for smooth in (0, 1)]
        for name, shape in OTHERS.items()
    }
    spiking = drawn["T=5"][0]
    small = Params(*([None, *(x / 9 for x in p[1:])] for p in (spiking.params.W, spiking.params.b)))
    silent = forward(spiking.trace.O[0], small, spiking.neuron)
    assert not any(o.any() for o in silent.O[1:])
    drawn["silent"] = [ForwardPass(silent, spiking.targets, small, spiking.neuron)]
    return {name: [(net, exact(net, k)) for k, net in enumerate(n)] for name, n in drawn.items()}


def exact(net, smooth):
    spike = net.neuron.H if smooth else None
    found = autodiff.derivatives(net.trace.O[0], net.targets, *args(net)[2:], spike=spike)
    layers = range(1, net.params.N + 1)
    return {(k, n): getattr(found.gradients, k)[n] for k in "Wb" for n in layers}


def pairs_of(bug, name):
    """Return, network by network, every gradient with the exact one; None where it raises."""
    found = []
    for net, right in others()[name]:
        try:
            with np.errstate(all="ignore"):
                _, _, W, b = bug.run(*args(net))
            got = {"W": W, "b": b}
            found.append({(k, n): (np.asarray(got[k][n]), g) for (k, n), g in right.items()})
        except (ValueError, IndexError):
            return None
    return found


def wrong(bug, name):
    """Return the gradients that differ from autograd's on some network of this name."""
    found = pairs_of(bug, name)
    if found is None:
        return set(others()[name][0][1])
    return {
        key
        for one in found
        for key, (got, right) in one.items()
        if got.shape != right.shape
        or not np.allclose(got, right, rtol=1e-6, atol=1e-7 * np.abs(right).max())
    }


def one_factor(bug):
    """Return whether all gradients of a network have one ratio to the exact ones."""
    for one in pairs_of(bug, "T=5") or [{}]:
        pairs = [(got, right) for got, right in one.values() if got.shape == right.shape]
        quotients = [(g[r != 0] / r[r != 0]).ravel() for g, r in pairs]
        if len(pairs) < 8 or not np.ptp(np.concatenate(quotients)) < 1e-6:
            return False
    return True


def test_the_program_is_the_packages_sweep_to_the_last_bit():
    for net in probe_networks():
        delta, epsilon, W, b = defined(PROGRAM)(*args(net))
        sweep = net.sweep("exact")
        for n in range(1, net.params.N + 1):
            np.testing.assert_array_equal(delta[n], sweep.delta[n])
            np.testing.assert_array_equal(epsilon[n], sweep.epsilon[n])
            np.testing.assert_allclose(W[n], sweep.gradients.W[n], rtol=1e-14)
            np.testing.assert_array_equal(b[n], sweep.gradients.b[n])


def test_there_are_enough_bugs_in_every_case_each_one_change_in_the_line_that_it_names():
    assert len({bug.source for bug in BUGS}) == len(BUGS) >= 60
    assert {bug.case for bug in BUGS} == {0, 1, 2, 3, 4, 5}
    for bug in BUGS:
        lines = zip(bug.source.splitlines(), PROGRAM.splitlines(), strict=True)
        assert [k for k, (a, b) in enumerate(lines, start=1) if a != b] == [bug.line]


@pytest.mark.slow
@pytest.mark.parametrize("bug", BUGS, ids=str)
def test_every_bug_fails_exactly_as_its_row_says(bug):
    (row,) = [symptoms for symptoms, same in by_symptoms().items() if bug in same]
    seen = wrong(bug, "T=5")
    layers, kinds = {n for _, n in seen}, {kind for kind, _ in seen}
    T1, T2, S1 = (wrong(bug, name) for name in ("T=1", "T=2", "S=1"))
    assert seen
    assert wrong(bug, "widths")
    assert pairs_of(bug, "widths") is not None
    assert row == tuple(
        name
        for name, is_so in {
            "T=1": T1,
            "T>1": not T1 and T2,
            "T>2": not T1 and not T2,
            "S>1": not S1,
            "hidden": 4 not in layers,
            "output": layers == {4},
            "W": kinds == {"W"},
            "b": kinds == {"b"},
            "factor": one_factor(bug),
            "spikes": not wrong(bug, "silent"),
            "widths": pairs_of(bug, "T=5") is None,
        }.items()
        if is_so
    )


def test_the_table_has_every_bug_once_and_names_every_symptom_that_occurs():
    rows = by_symptoms()
    assert sorted(str(bug) for same in rows.values() for bug in same) == sorted(map(str, BUGS))
    assert not any("output" in row for row in rows), "the page says that there is none"
    page = filled("bug-hunt.md", **bug_hunt())
    assert all(bug.what in page for bug in BUGS)


def test_an_untouched_program_asks_and_keeps_nothing():
    asked = hunt(5)
    assert asked.state == "todo"
    assert all(name in repr(asked) for name in SYMPTOMS)
    assert BUGS[4].source.splitlines()[0] in repr(asked)
    assert 'data-exercise="hunt(5)" data-state="todo"' in asked._repr_html_()
    assert not path().exists()


def test_the_right_answers_are_right_with_each_of_their_symptoms_and_are_kept():
    for k, bug in enumerate(BUGS, start=1):
        for symptom in evidence(bug).symptoms:
            answer = hunt(k, case=bug.case, term=bug.term, symptom=symptom)
            assert answer.right, bug
            assert f"Line {bug.line}: {bug.what}." in repr(answer)
            assert bug.mended in repr(answer)
    assert progress_report().states == {f"hunt({k + 1})": "right" for k in range(len(BUGS))}
    assert f"Bugs found: {len(BUGS)}." in repr(progress_report())


def test_a_wrong_answer_says_what_is_right_shows_the_evidence_and_not_the_line():
    k = 1 + list(map(str, BUGS)).index("case 4, reset: the factor u is missing")
    answer = hunt(k, case=4, term="carry", symptom="b")
    text = repr(answer)
    assert answer.state == "wrong"
    assert "case 4: right; term carry: no; symptom b: no" in text
    assert "δ at t = 3 (index 2 in code), n = 2, a cell of case 4" in text
    assert BUGS[k - 1].what not in text
    assert "still to say: term, symptom" in repr(hunt(k, case=4))
    assert progress_report().states == {f"hunt({k})": "wrong"}


@pytest.mark.parametrize(
    ("k", "answer", "message"),
    [
        (0, {}, "k must be >= 1, got 0"),
        (9999, {}, rf"k must be <= {len(BUGS)}, the number of programs, got 9999"),
        (1, {"case": 6}, "case must be <= 5, got 6"),
        (1, {"term": "leak"}, "term must be one of 'direct', .*, got 'leak'"),
        (1, {"symptom": "always"}, "symptom must be one of 'T=1', .*, got 'always'"),
    ],
)
def test_bad_input(k, answer, message):
    with pytest.raises(ValueError, match=message):
        hunt(k, **answer)
