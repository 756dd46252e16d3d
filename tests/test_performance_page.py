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
