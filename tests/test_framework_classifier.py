"""What the frameworks' gradients keep: the command that asks, and the record that it wrote.

The frameworks themselves are asked in ``tests/bridges``.
"""

import json
import sys
from types import SimpleNamespace

import pytest

from benchmarks.frameworks import classify
from benchmarks.frameworks.problem import NEURON
from stbp_edu import backward, forward

pytestmark = pytest.mark.slow  # probes many networks

ROWS = {row["name"]: row for row in json.loads(classify.RECORD.read_text("utf-8"))["rows"]}


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
    return lambda **options: classify.Tried("ours", "stand_in", ("numpy",), options)


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
    assert row["said"] == f"equals {rule}"
    assert set(row["versions"]) == {"numpy"}


def test_what_is_no_rule_is_described(stand_in):
    row = classify.found(stand_in(double=True))
    assert (row["rules"], row["dropped"]) == ([], "")
    assert "counts twice is 'enter spike readout'" in row["said"]


def test_a_record_needs_every_framework(monkeypatch, capsys):
    absent = classify.Tried("none", "none", ("no_such_framework",))
    monkeypatch.setattr(classify, "TRIED", (absent,))
    monkeypatch.setattr(sys, "argv", ["classify", "--write"])
    with pytest.raises(SystemExit):
        classify.main()
    assert "not installed: no_such_framework" in capsys.readouterr().err


def test_the_record_has_everybody():
    assert list(ROWS) == [tried.name for tried in classify.TRIED]
