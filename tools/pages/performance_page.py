"""What the performance page shows of the published records of ``benchmarks``: times and memory."""

from collections.abc import Iterator, Mapping
from typing import Any

from stbp_edu.plotting.palette import GRID, SERIES
from stbp_edu.program import weights
from tools.pages.records import Record, bars, processor

AXES = ("T", "batch", "width", "hidden", "rate")
OURS = ("ours", "ours-numpy", "torch-bridge", "torch-bridge-as-it-comes")
"""The candidates that are this package's own; the bridge runs in PyTorch, and is ours too."""


def names(records: Mapping[str, Record]) -> dict[str, object]:
    """Return the names in ``docs/performance.md``; any record may be missing."""
    own = {"records": records, "model": weights, "processor": processor}
    return {**globals(), **own}


def row(cell: Record, name: str) -> Any:
    """Return a candidate's row, or None."""
    return next((r for r in cell["rows"] if r["name"] == name), None)


def titles(record: Record) -> dict[str, str]:
    """Return each candidate's title by its name."""
    return {e["name"]: e["title"] for e in record["entries"]}


def along(record: Record, axis: str) -> list[Record]:
    """Return the main cell and those that differ from it in ``axis`` alone, in its order."""
    main = record["cells"][0]
    others = set(AXES) - {axis}
    found = [c for c in record["cells"] if all(c[k] == main[k] for k in others)]
    return sorted(found, key=lambda c: c[axis] or 100)


def fastest(record: Record, group: str) -> Any:
    """Return the fastest row at the main size of a group, or None."""
    belongs = {
        "compiled": lambda name: name.endswith("compile"),
        "others": lambda name: name not in (*OURS, "products"),
    }[group]
    rows = [r for r in record["cells"][0]["rows"] if belongs(r["name"])]
    return min(rows, key=lambda r: r["ms"], default=None)


def better(record: Record) -> Iterator[tuple[Record, str, str, float]]:
    """Yield what is faster than ours or holds less memory: cell, who, in what, and the ratio."""
    for cell in record["cells"]:
        ours = row(cell, "ours")
        for r in (r for r in cell["rows"] if r["name"] not in OURS):
            for key, what in (("ms", "time"), ("peak_mb", "memory")):
                if ours[key] is not None and r[key] is not None and r[key] < ours[key]:
                    yield cell, r["name"], what, ours[key] / r[key]


def picture(record: Record, alt: str) -> str:
    """Return a bar for each candidate at the main size."""
    # "products" leaves more room for the bars
    known = {**titles(record), "products": "products"}
    found = sorted(record["cells"][0]["rows"], key=lambda r: -r["ms"])
    legend = {"stbp_edu": SERIES[0], "frameworks": SERIES[1], "products": GRID}
    colours = [
        legend["products"] if r["name"] == "products" else SERIES[r["name"] not in OURS]
        for r in found
    ]
    return bars({known[r["name"]]: r["ms"] for r in found}, colours, legend, alt)
