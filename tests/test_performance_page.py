"""The performance page prints what the records of speed hold, and computes its goals from them."""

import copy

import pytest

from tools.pages import performance_page
from tools.pages.records import read_records
from tools.templates import filled

pytestmark = pytest.mark.slow  # each test makes the page anew
RECORDS = read_records()


def row(name, ms, peak_mb=None):
    return {"name": name, "ms": ms, "ms_low": ms - 1, "ms_high": ms + 1, "peak_mb": peak_mb}


def cell(ours, *rows, **change):
    size = {"T": 30, "batch": 100, "width": 800, "inputs": 784, "hidden": 1, "rate": 0}
    rest = {"load": [0.1, 0.3], "failed": {}, "rows": [row("ours", ours, 80.0), *rows]}
    return {**size, **rest, **change}


def entry(name, title, peer=False, absent=""):
    return {
        "name": name, "title": title, "form": "as is", "rule": "exact", "peer": peer,
        "versions": {"a": "1.0"}, "gradients": {"float64": 3e-16}, "absent": absent,
    }  # fmt: skip


@pytest.fixture
def record():
    return {
        "command": "python -m benchmarks.frameworks --write", "lr": 1e-3,
        "neuron": {"tau": 0.1, "v_th": 0.5, "gate": "linear", "surrogate": "Gaussian"},
        "machine": {"processor": "A processor", "cores": 2, "system": "Linux"},
        "versions": {"python": "3.11", "numpy": "2.4", "blas": "openblas"},
        "entries": [
            entry("ours", "stbp_edu"), entry("products", "products alone"),
            entry("peer", "A peer", peer=True), entry("gone", "Gone", absent="not installed: gone"),
        ],
        "cells": [
            cell(35.0, row("products", 40.0, 100.0), row("peer", 70.0, 200.0)),
            cell(12.0, row("peer", 11.0, 90.0), T=10),
        ],
    }  # fmt: skip


def plain(records):
    """Return the page of some records in plain spaces."""
    text = filled("performance.md", **performance_page.names(records))
    return text.replace("\xa0", " ").replace("&nbsp;", " ")


def page(record=None, **others):
    """Return the page in plain spaces."""
    records = {"speed-frameworks": record} if record else {}
    records |= {name.replace("_", "-"): one for name, one in others.items()}
    return plain(records)


def test_the_goals_are_computed_from_the_record(record):
    text = page(record)
    assert "products alone | products alone | 0.88 | not reached |" in text
    assert "| A peer | 0.40 | reached |" in text  # memory
    record["cells"][0]["rows"][0]["ms"] = 34.0
    assert "| products alone | 0.85 | reached |" in page(record)


def test_the_page_says_where_we_lose(record):
    assert "| T = 10 | A peer | time | 1.09 |" in page(record)
    record["cells"] = record["cells"][:1]
    assert "At none of these sizes" in page(record)
    assert "By size" not in page(record)


def test_the_page_tells_how_time_grows_with_the_steps(record):
    record["cells"].append(cell(115.5, T=100))
    text = page(record)
    assert "from T = 10 to 30, 3 times as many steps, it takes 2.9 times as long" in text
    assert "from T = 30 to 100, 3.3 times as many steps, it takes 3.3 times as long" in text


def test_the_fastest_of_the_others_stands_first(record):
    record["cells"][0]["rows"].append(row("x-compile", 40.0))
    record["entries"].append(entry("x-compile", "X"))
    record["cells"].append(cell(12.0, row("x-compile", 11.0), hidden=2))
    record["cells"].append(cell(12.0, row("x-compile", 10.0), rate=2))
    text = page(record)
    first = text.partition("# Performance\n\n")[2].split("\n\n")[0]
    assert "takes `stbp_edu` 35.0 ms and the fastest of the others, X, 40.0." in first
    assert "| X | 0.88 | not reached |" in text
    assert "| 2 hidden layers | X | time | 1.09 |" in text
    assert "| 2 % spikes | X | time | 1.20 |" in text
    assert "at each of the other sizes | X, 2 % spikes | 1.20 | not reached |" in text


def test_what_is_not_installed_or_not_made_is_named(record):
    assert "| Gone | not installed: gone |" in page(record)
    assert "`make bench-frameworks`" in page()
    assert "`make bench`" in page()


def test_another_run_of_the_main_size_is_told(record):
    step = copy.deepcopy(record) | {"command": "python -m benchmarks.frameworks --write --home"}
    step["entries"].append(entry("x-compile", "X"))
    step["cells"][0]["rows"] = [row("ours", 20.0), row("products", 40.0), row("x-compile", 25.0)]
    text = page(record, speed_step=step)
    assert "of this size alone, gave for the first two 0.80 and 0.50." in text
    for one in (record, step):
        assert f"| `{one['command']}` |" in text


@pytest.mark.parametrize("which", ["published", "made up"])
def test_every_table_is_whole(which, record):
    text = plain(RECORDS) if which == "published" else page(record)
    lines = [line.strip() for line in [*text.splitlines(), ""]]
    tables = [k for k, line in enumerate(lines) if line.startswith("| ---")]
    assert len(tables) >= 5
    for k in tables:
        rows = lines[k - 1 : next(i for i in range(k, len(lines)) if not lines[i].startswith("|"))]
        assert len({line.count("|") for line in rows}) == 1, rows
        assert len(rows) > 2, rows
        assert lines[k - 2] == "", "a table needs an empty line before it"


def test_every_record_of_speed_has_its_command_on_the_page():
    text = plain(RECORDS)
    for name in (n for n in RECORDS if n.startswith("speed")):
        assert f"`{RECORDS[name]['command']}`" in text
