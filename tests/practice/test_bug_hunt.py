"""The bug hunt: the right program, the bugs, what their rows of the table say, and the answers.

Whether a bug fails as its row says is judged anew, on other networks than the table's.
"""

import numpy as np
import pytest

from stbp_edu.practice import bug_hunt as practice_hunt
from stbp_edu.practice import hunt, progress_report
from stbp_edu.practice.bug_hunt import (
    TABLE,
    bugs,
    evidence,
    networks,
    ran,
    wrong_gradients,
)
from stbp_edu.practice.grading.calling import plain
from stbp_edu.practice.saved_progress import path
from stbp_edu.practice.tasks.inputs import probe_networks
from stbp_edu.practice.tasks.programs import define
from stbp_edu.verify import autodiff
from tools.pages.page_names import bug_hunt
from tools.templates import filled

BUGS, PROGRAM = bugs(), TABLE["program"]


def args(net):
    return net.trace, net.targets, net.params, net.neuron


def test_the_program_is_the_packages_sweep_to_the_last_bit():
    for net in probe_networks():
        delta, epsilon, W, b = define(PROGRAM)(*args(net))
        sweep = net.sweep("exact")
        for n in range(1, net.params.N + 1):
            np.testing.assert_array_equal(delta[n], sweep.delta[n])
            np.testing.assert_array_equal(epsilon[n], sweep.epsilon[n])
            np.testing.assert_allclose(W[n], sweep.gradients.W[n], rtol=1e-14)
            np.testing.assert_array_equal(b[n], sweep.gradients.b[n])


@pytest.mark.slow
def test_every_bug_fails_exactly_as_its_row_says(monkeypatch):
    """Also on other networks, judged by autograd, which shares no backward code with the sweep."""
    rows = {
        str(bug): row for row, same in bug_hunt()["by_symptoms"].items() for bug in same
    }
    assert sorted(rows) == sorted(map(str, BUGS))
    assert len({bug.source for bug in BUGS}) == len(BUGS) >= 60
    assert not any("output" in row for row in rows.values()), "the page says so"
    page = filled("bug-hunt.md", **bug_hunt())
    assert all(bug.what in page for bug in BUGS)
    others, exact = networks(4000, (6, 3, 5, 2)), []
    for net in others["T = 4"]:
        spike = net.neuron.H if "twin" in net.description else None
        given = net.trace.O[0], *args(net)[1:]
        found = autodiff.derivatives(*given, spike=spike).gradients
        exact.append(plain(found, found))
    monkeypatch.setattr(practice_hunt, "networks", lambda: others)
    for bug in BUGS:
        assert evidence.__wrapped__(bug).symptoms == rows[str(bug)], bug
        results = [ran(bug.source, net)[0] for net in others["T = 4"]]
        assert any(map(wrong_gradients, results, exact)), bug


def test_an_untouched_program_asks_and_keeps_nothing():
    asked = hunt(5)
    assert asked.state == "todo"
    assert BUGS[4].source.splitlines()[0] in repr(asked)
    assert 'data-exercise="hunt(5)" data-state="todo"' in asked._repr_html_()
    assert not path().exists()


@pytest.mark.slow
def test_the_right_answers_are_right_with_each_of_their_symptoms_and_are_kept():
    for k, bug in enumerate(BUGS, start=1):
        for symptom in evidence(bug).symptoms:
            answer = hunt(k, case=bug.case, term=bug.term, symptom=symptom)
            assert answer.right, bug
            assert f"Line {bug.line}: {bug.what}." in repr(answer)
            assert bug.mended in repr(answer)
    assert progress_report().states == {
        f"hunt({k + 1})": "right" for k in range(len(BUGS))
    }
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
