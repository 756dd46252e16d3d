"""The published records, asked anew: of the script that makes them, and of what the page names."""

import json
from functools import partial

import numpy as np
import pytest
import torch

from benchmarks.frameworks import classify, problem, race
from benchmarks.frameworks.candidate import BY_NAME

ROWS = {
    row["name"]: row for row in json.loads(classify.RECORD.read_text("utf-8"))["rows"]
}


@pytest.mark.parametrize("tried", classify.TRIED, ids=lambda tried: tried.name)
@pytest.mark.filterwarnings("ignore")  # theirs
def test_a_framework_keeps_what_the_record_says(tried):
    found, row = classify.found(tried), ROWS[tried.name]
    assert (found["rules"], found["dropped"]) == (row["rules"], row["dropped"])


QUICK_HERE = [
    name
    for name, e in BY_NAME.items()
    if "torch" in e.packages and not e.options.get("compiled")
]
"""Those that are not the same once more, compiled."""


@pytest.mark.parametrize("name", QUICK_HERE)
@pytest.mark.filterwarnings("ignore")  # theirs
def test_a_candidate_has_our_gradients(name, monkeypatch):
    """The compiler makes graphs, which takes less time than C++."""

    def unreachable(name):
        raise FileNotFoundError(name)

    monkeypatch.setattr(problem, "load_dataset", unreachable)
    graphs = partial(torch.compile, backend="aot_eager")
    monkeypatch.setattr(torch, "compile", graphs)
    given = problem.draw(problem.Size(T=4, batch=5, width=6), np.float64)
    entry = BY_NAME[name]
    candidate = entry.make(given)
    found = candidate.gradients()
    wanted = race.reference(given, entry.rule)
    assert race.distance(found, wanted) < 1e-5
