"""The bug hunt: the right program, the bugs, and what their rows of the table say.

Whether a bug fails as its row says is judged anew, on other networks than the table's.
"""

import numpy as np
import pytest

from stbp_edu.practice import bug_hunt as practice_hunt
from stbp_edu.practice.bug_hunt import (
    TABLE,
    bugs,
    evidence,
    networks,
    ran,
    wrong_gradients,
)
from stbp_edu.practice.grading.answer import plain
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
    rows = {bug: row for row, same in bug_hunt()["by_symptoms"].items() for bug in same}
    assert {*rows} == {*BUGS}
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
        assert evidence.__wrapped__(bug).symptoms == rows[bug], bug
        results = [ran(bug.source, net)[0] for net in others["T = 4"]]
        assert any(map(wrong_gradients, results, exact)), bug
