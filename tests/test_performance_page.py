"""The performance page prints what the records of speed hold, and computes its goals from them."""

import copy

import pytest

from tools.pages.performance_page import page
from tools.pages.published_records import read_records


def _row(name, ms, peak_mb):
    return {
        "name": name, "ms": ms, "ms_low": ms - 1, "ms_high": ms + 1, "ratio": ms / 40,
        "best": ms - 2, "peak_mb": peak_mb,
    }  # fmt: skip


def _cell(ours, rows=(), **change):
    size = {"T": 30, "batch": 100, "width": 800, "inputs": 784, "lit": 530, "lit_only": False}
    rest = {"data": "MNIST", "rounds": 20, "load": [0.1, 0.3], "failed": {}}
    return {**size, **rest, **change, "rows": [_row("ours", ours, 80.0), *rows]}


def _entry(name, title, peer=False, absent=""):
    return {
        "name": name, "title": title, "form": "as is", "rule": "exact", "peer": peer,
        "versions": {"a": "1.0"}, "gradients": {"float64": 3e-16}, "absent": absent,
    }  # fmt: skip


@pytest.fixture
def record():
    rows = [_row("products", 40.0, 100.0), _row("peer", 70.0, 200.0)]
    return {
        "command": "python -m benchmarks.frameworks --write",
        "neuron": {"tau": 0.1, "v_th": 0.5, "gate": "linear", "surrogate": "Gaussian"},
        "lr": 1e-3,
        "machine": {"processor": "A processor", "cores": 2, "system": "Linux"},
        "versions": {"python": "3.11", "numpy": "2.4", "blas": "openblas"},
        "entries": [
            _entry("ours", "stbp_edu"),
            _entry("products", "products alone"),
            _entry("peer", "A peer", peer=True),
            _entry("gone", "Gone", absent="not installed: gone"),
        ],
        "cells": [_cell(35.0, rows), _cell(12.0, [_row("peer", 11.0, 90.0)], T=10)],
    }


def test_the_page_computes_the_goals_from_the_record(record):
    text = page({"speed-frameworks": record})
    assert "spiking frameworks, not compiled | A peer | 0.50 | reached | – | – |" in text
    assert "the dense matrix products alone | products alone | 0.88 | reached | – | – |" in text
    assert "| A peer | 0.40 | reached |" in text  # memory
    record["cells"][0]["rows"][0]["ms"] = 50.0
    text = page({"speed-frameworks": record})
    assert "| A peer | 0.71 | not reached |" in text
    assert "| products alone | 1.25 | not reached |" in text


def test_the_page_says_where_we_lose(record):
    text = page({"speed-frameworks": record})
    assert "| T = 10 | A peer | time | 1.09 |" in text
    won = copy.deepcopy(record)
    won["cells"] = won["cells"][:1]
    text = page({"speed-frameworks": won})
    assert "At none of these sizes" in text
    assert "By size" not in text


def test_the_page_tells_how_time_grows_with_the_steps_and_draws_no_line(record):
    record["cells"].append(_cell(115.5, T=100))
    text = page({"speed-frameworks": record})
    assert "from T = 10 to 30, 3 times as many steps, it takes 2.9 times as long" in text
    assert "from T = 30 to 100, 3.3 times as many steps, it takes 3.3 times as long" in text
    assert "linear in T" not in text


def test_equal_input_stands_first_and_beside_the_goals(record):
    cell = record["cells"][0]
    cell["rows"] += [_row("ours-all-pixels", 48.0, 120.0), _row("x-compile", 40.0, 200.0)]
    record["entries"] += [_entry("ours-all-pixels", "ours, all pixels"), _entry("x-compile", "X")]
    other = copy.deepcopy(record)
    other["machine"]["processor"] = "Another(R) Processor"
    other["cells"][0]["rows"][-2]["ms"] = 40.1
    text = page({"speed-frameworks": record, "speed-frameworks-other": other})
    first = text.split("\n\n")[0].replace("\xa0", " ")
    assert "takes `stbp_edu` 35.0 ms and the fastest of the others, X, 40.0." in first
    assert "behind X on A processor (48.0 against 40.0 ms)" in first
    assert "level with X on Another (40.1 against 40.0 ms)" in first
    assert "without a GPU" in first
    assert "| A peer | 0.50 | reached | 0.69 | not reached |" in text
    assert "| as above, every pixel | X | time | 1.20 |" in text


def test_the_page_names_what_is_not_installed(record):
    assert "| Gone | not installed: gone |" in page({"speed-frameworks": record})


def test_the_page_without_records_says_how_to_make_them():
    text = page({})
    assert "make bench-frameworks" in text
    assert "make bench" in text


def test_a_learned_network_is_told_apart(record):
    cell = record["cells"][0]
    assert "answers" not in page({"speed-frameworks": record})
    cell["rows"].append(_row("ours-learned", 20.0, 90.0))
    cell["perfect"] = 42
    record["entries"].append(_entry("ours-learned", "ours, learned"))
    text = page({"speed-frameworks": record})
    assert "answers 42 of these 100 images" in text
    assert "| ours, learned | 20.0 |" in text
    assert "| A peer | 0.50 | reached |" in text  # of the new network
    assert "**1.00**" in text
    assert "**0.57**" not in text


def test_other_processors_stand_further_down(record):
    other = copy.deepcopy(record)
    other["machine"]["processor"] = "Another one"
    other["remark"] = "How it was."
    other["cells"][0]["rows"][0]["ms"] = 50.0
    text = page({"speed-frameworks": record, "speed-frameworks-other": other})
    main, further = text.split("## On Another one")
    assert "| A peer | 0.50 |" in main
    assert "| A peer | 0.71 |" in further
    assert "another processor. How it was.\n" in further
    assert "Another one, 2 cores" in further


def test_the_main_size_may_have_a_run_of_its_own(record):
    step = copy.deepcopy(record)
    record["cells"].append(_cell(115.5, T=100))
    step["cells"] = step["cells"][:1]
    step["cells"][0]["rows"][0]["ms"] = 20.0
    step["command"] = "python -m benchmarks.frameworks --write --home"
    text = page({"speed-frameworks": record, "speed-step": step})
    assert "| A peer | 0.29 |" in text
    assert "from T = 10 to 30, 3 times as many steps, it takes 2.9 times" in text  # from one run
    assert "35.0" not in text  # one machine, one figure: sizes are ratios
    assert "| `python -m benchmarks.frameworks --write` |" in text
    assert "| `python -m benchmarks.frameworks --write --home` |" in text


def test_why_the_learning_rate_is_small(record):
    assert "by heart" not in page({"speed-frameworks": record})
    record["lr"] = 1e-6
    assert "Adam at 1e-06, so small that" in page({"speed-frameworks": record})


def test_every_table_is_whole(record):
    engine = {
        "what": "One step", "command": "c", "T": 30, "S": 100,
        "machine": record["machine"], "versions": record["versions"],
        "ladder": [{**_row("engine", 45.0, 60.0)}],
        "scaling": [{**_row("engine", 45, 60), "T": 30, "S": 100, "us_per_step_and_sample": 1.0}],
    }  # fmt: skip
    text = page({"speed-frameworks": record, "speed": engine})
    lines = text.split("\n")
    tables = [k for k, line in enumerate(lines) if line.strip().startswith("| ---")]
    assert "| --- | --- | ---: | ---: | ---: | ---: |" in lines  # numbers stand at the right
    assert len(tables) >= 7
    for k in tables:
        width = lines[k].count("|")
        body = [x.strip() for x in lines[k - 1 :]]
        table = body[: next(i for i, x in enumerate(body) if not x.startswith("|"))]
        assert all(line.count("|") == width for line in table), table
        assert lines[k - 2] == "", "a table needs an empty line before it"


def test_committed_records_make_a_page():
    records = read_records()
    text = page(records)
    for name, words in (("speed", "the engine by itself"), ("speed-frameworks", "the frameworks")):
        assert (f"The record of {words} has not been made" in text) == (name not in records)


def test_the_page_has_the_step_of_the_convolutional_network():
    record = read_records()["speed-convolution"]
    text = page({"speed-convolution": record})
    ours, plain = record["rows"][:2]
    assert f"| stbp_edu | {ours['ms']:.1f} | 1.00 | `exact` | – |" in text
    assert f"| PyTorch, plain loop | {plain['ms']:.1f} | {plain['ratio']:.2f} |" in text
    assert f"`{record['command']}`" in text
    assert "convolutional" not in page({})
