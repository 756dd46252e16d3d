"""The performance page prints what the records of speed hold."""

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


def test_the_page_says_where_we_lose(record):
    row(record, "norse", T=10)["ms"], row(record, "jax", width=200)["peak_mb"] = (
        8.0,
        4.0,
    )
    text = page(speed_frameworks=record)
    assert "| T = 10 | Norse | time | 1.25 |" in text
    assert "| width 200 | JAX | memory | 2.50 |" in text


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


def test_an_own_loop_is_compared_with_the_trainer(record):
    rows = [{"name": name, "ratio": 1.0, "ms": 10.0} for name in "abcde"]
    rows[2]["ratio"], rows[4]["ms"] = 1.2, 14.0
    own = {
        "rows": rows, "starts": [{"name": "import numpy", "s": 0.1}], "bandwidth_gb_s": 10.0,
        "command": "", **{k: RECORDS["speed"][k] for k in ("machine", "versions")},
    }  # fmt: skip
    text = page(speed_frameworks=record, speed_own_loop=own)
    assert "| c ÷ the trainer's step | 1.20 |" in text
    assert "| two states ÷ LIF, forward and backward | 1.40 |" in text
