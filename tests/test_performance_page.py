"""The performance page prints what the records of speed hold, and computes its goals from them."""

import copy

import pytest

from tools.pages import performance_page, read_records
from tools.templates import filled

pytestmark = pytest.mark.slow  # each test makes the page anew
RECORDS = read_records()


def page(**records):
    """Return the page of some records in plain spaces."""
    named = {name.replace("_", "-"): record for name, record in records.items()}
    text = filled("performance.md", **performance_page.names(named))
    return text.replace("\xa0", " ").replace("&nbsp;", " ")


@pytest.fixture
def record():
    """The published sizes, at each of which ours takes 10 ms and 10 MB, and all others 20."""
    sizes = copy.deepcopy(RECORDS["speed-frameworks"])
    for cell in sizes["cells"]:
        for row in cell["rows"]:
            own = row["name"] in performance_page.OURS
            row["ms"] = row["peak_mb"] = 10.0 if own else 20.0
    return sizes


def row(record, name, **cell):
    """Return the row of a candidate at the main size, or at the one that differs so from it."""
    main = record["cells"][0]
    wanted = {key: main[key] for key in performance_page.AXES} | cell
    (found,) = (c for c in record["cells"] if wanted.items() <= c.items())
    return next(r for r in found["rows"] if r["name"] == name)


def test_the_goals_are_computed_from_the_record(record):
    text = page(speed_frameworks=record)
    assert "| the dense matrix products alone | 0.500 | reached |" in text
    assert "at any of these sizes" in text
    row(record, "products")["ms"], row(record, "norse")["ms"] = 11.0, 19.0
    row(record, "norse")["peak_mb"] = 25.0
    text = page(speed_frameworks=record)
    assert "| the dense matrix products alone | 0.909 | not reached |" in text
    assert "| Norse | 0.400 | reached |" in text  # memory


def test_the_page_says_where_we_lose(record):
    row(record, "norse", T=10)["ms"], row(record, "jax", width=200)["peak_mb"] = (
        8.0,
        4.0,
    )
    text = page(speed_frameworks=record)
    assert "| T = 10 | Norse | time | 1.25 |" in text
    assert "| width 200 | JAX | memory | 2.50 |" in text
    assert "at each of the other sizes | Norse, T = 10 | 1.250 | not reached |" in text


def test_every_table_is_whole_and_every_record_has_its_command():
    text = page(**RECORDS)
    for name in (n for n in RECORDS if n.startswith("speed")):
        assert f"`{RECORDS[name]['command']}`" in text
    lines = [line.strip() for line in [*text.splitlines(), ""]]
    tables = [k for k, line in enumerate(lines) if line.startswith("| ---")]
    assert len(tables) >= 5
    for k in tables:
        rows = lines[
            k - 1 : next(
                i for i in range(k, len(lines)) if not lines[i].startswith("|")
            )
        ]
        assert len({line.count("|") for line in rows}) == 1, rows
        assert len(rows) > 2, rows
        assert lines[k - 2] == "", "a table needs an empty line before it"


def test_a_step_is_never_faster_than_the_memory_moves_its_bytes(record):
    cell = record["cells"][0] | {
        "T": 2,
        "batch": 3,
        "inputs": 5,
        "width": 4,
        "hidden": 1,
    }
    assert performance_page.weights_of(cell) == 5 * 4 + 4 * 10
    floats = 2 * 3 * (2 * 5 + 6 * (4 + 10)) + 10 * (5 * 4 + 4 * 10)
    assert performance_page.bytes_moved(cell) == 4 * floats


def test_a_gpu_has_a_section_where_it_was_measured(record):
    """Nobody there is ours but the bridge, and the others are divided by it."""
    assert "`python -m benchmarks.frameworks --device cuda --write`" in page(**RECORDS)
    on_gpu = copy.deepcopy(record)
    cell = on_gpu["cells"][0]
    on_gpu["entries"] = [
        {**e, "absent": ""} for e in on_gpu["entries"] if "torch" in e["versions"]
    ]
    kept = {e["name"] for e in on_gpu["entries"]}
    cell["rows"] = [r for r in cell["rows"] if r["name"] in kept]
    cell["failed"] = {"norse": "no kernel"}
    on_gpu["gpu"] = {"name": "A Fast One", "cuda": "12.9", "torch": "2.13.0"}
    on_gpu["command"] = "python -m benchmarks.frameworks --write --device cuda"
    whole = page(speed_frameworks=record, speed_gpu=on_gpu)
    text = whole.partition("## On a GPU")[2].partition("##")[0]
    assert "on A Fast One, with CUDA 12.9 and PyTorch 2.13.0" in text
    assert "| ÷ stbp_edu.torch |" in text
    assert "| stbp_edu.torch | 10.0 | " in text
    assert "| snnTorch | 20.0 |" in text
    assert "failed: no kernel" in text
    assert "the dense matrix products" not in text
    assert "Nothing has been measured on a GPU" not in whole
    bridge = next(r for r in cell["rows"] if r["name"] == "torch-bridge")
    cell["rows"].remove(bridge)
    assert "| snnTorch | 20.0 |" in page(speed_gpu=on_gpu)


def test_goals_of_an_own_loop_are_judged_by_its_record(record):
    rows = [{"name": name, "ratio": 1.0, "ms": 10.0} for name in "abcde"]
    rows[2]["ratio"], rows[4]["ms"] = 1.2, 14.0
    own = {
        "rows": rows, "starts": [{"name": "import numpy", "s": 0.1}], "bandwidth_gb_s": 10.0,
        "command": "", **{k: RECORDS["speed"][k] for k in ("machine", "versions")},
    }  # fmt: skip
    text = page(speed_frameworks=record, speed_own_loop=own)
    assert "| b ÷ the trainer's step | 1.00 | at most 1.1 | reached |" in text
    assert "| c ÷ the trainer's step | 1.20 | at most 1.1 | not reached |" in text
    assert (
        "| two states ÷ LIF, forward and backward | 1.40 | at most 1.3 | not rea"
        in text
    )
    assert "Picoseconds for a weight" in text
    own["machine"] = {**own["machine"], "processor": "another"}
    assert "Picoseconds" not in page(speed_frameworks=record, speed_own_loop=own)
