"""What the frameworks' gradients keep: the command that asks, and the record that it wrote.

The frameworks themselves are asked in ``tests/bridges``.
"""

import json
import sys
from types import SimpleNamespace

import pytest

from benchmarks.frameworks import classify
from benchmarks.frameworks.candidate import Entry
from benchmarks.frameworks.problem import NEURON
from stbp_edu import backward, forward

pytestmark = pytest.mark.slow  # probes many networks


def build(given, rule="exact", double=False):
    """A stand-in for a framework: this package's own run and gradients."""
    trace = forward(given.spikes, given.params, NEURON)
    g = backward(trace, given.targets, given.params, NEURON, rule=rule)
    found = [a * (1 + double) for n in (1, 2) for a in (g.W[n], g.b[n])]
    return SimpleNamespace(gradients=lambda: found)


@pytest.fixture
def stand_in(monkeypatch):
    name = "benchmarks.frameworks.stand_in"
    monkeypatch.setitem(sys.modules, name, SimpleNamespace(build=build))
    entry = Entry("ours", "ours", "stand_in:build", packages=("numpy",))
    return lambda **options: classify.Tried("ours", entry, options)


@pytest.mark.parametrize(
    ("rule", "dropped"),
    [
        ("exact", ""),
        ("detached-reset", "enter spike reset spike readout"),
        ("leak-only", "enter spike reset spike readout"),
        ("spatial-only", "enter carry spike readout"),
        ("classic", "enter spike reset carry spike readout"),
    ],
)
def test_a_rule_is_named_with_the_shortest_word_that_it_drops(stand_in, rule, dropped):
    row = classify.found(stand_in(rule=rule))
    assert (row["rules"], row["dropped"]) == ([rule], dropped)
    assert set(row["versions"]) == {"numpy"}


def test_what_is_no_rule_is_described_and_the_record_has_everybody(stand_in):
    row = classify.found(stand_in(double=True))
    assert (row["rules"], row["dropped"]) == ([], "")
    assert "counts twice is 'enter spike readout'" in row["said"]
    rows = json.loads(classify.RECORD.read_text("utf-8"))["rows"]
    assert [row["name"] for row in rows] == [tried.name for tried in classify.TRIED]
