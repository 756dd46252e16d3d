"""The goals of the training step: whether the published times reach them."""

from typing import Any

from tools.pages.markdown_tables import table
from tools.pages.published_records import Record

TARGETS = (
    ("at most 0.6 × the fastest of the spiking frameworks, not compiled", "peers", 0.6),
    ("at most 0.8 × the fastest that torch.compile makes", "compiled", 0.8),
    ("at most 0.9 × the dense matrix products alone", "products", 0.9),
)


def cells_along(record: Record, axis: str) -> list[Record]:
    """Return the main cell, and those that differ from it in ``axis`` alone."""
    main = record["cells"][0]
    others = {"T", "batch", "width", "lit_only"} - {axis}
    return [c for c in record["cells"] if all(c[k] == main[k] for k in others)]


def row_of(cell: Record, name: str) -> Any:
    """Return a candidate's row, or None."""
    return next((r for r in cell["rows"] if r["name"] == name), None)


def titles_of(record: Record) -> dict[str, str]:
    """Return each candidate's title by its name."""
    return {e["name"]: e["title"] for e in record["entries"]}


def fastest_of(record: Record, group: str) -> Any:
    """Return the fastest row at the main size of a group of ``TARGETS``, or None."""
    peers = {e["name"] for e in record["entries"] if e["peer"]}
    belongs = {
        "peers": peers.__contains__,
        "compiled": lambda name: name.endswith("compile"),
        "products": lambda name: name == "products",
    }[group]
    rows = [r for r in record["cells"][0]["rows"] if belongs(r["name"])]
    return min(rows, key=lambda r: r["ms"], default=None)


def goals_table(record: Record) -> str:
    """Return a row for every goal at the main size: the step as it is used, and with every pixel.

    The network is a new one throughout: what a learned one saves is no part of the goals.
    """
    cell, titles, lines = record["cells"][0], titles_of(record), []
    ours, bare = row_of(cell, "ours"), row_of(cell, "ours-all-pixels")
    for words, group, limit in TARGETS:
        if (other := fastest_of(record, group)) is not None:
            line = [words, titles[other["name"]]]
            for row in (ours, bare):
                line += _judged(row["ms"] / other["ms"], limit) if row else ["–", "–"]
            lines.append(line)
    peer = fastest_of(record, "peers")
    if peer and ours["peak_mb"] and peer["peak_mb"]:
        line = ["at most half the peak memory of the fastest spiking framework"]
        line.append(titles[peer["name"]])
        for row in (ours, bare):
            known = row and row["peak_mb"]
            line += _judged(row["peak_mb"] / peer["peak_mb"], 0.5) if known else ["–", "–"]
        lines.append(line)
    return table(("goal", "beside", "measured", "result", "every pixel", "result"), lines)


def _judged(value: float, limit: float) -> list[str]:
    return [f"{value:.2f}", "reached" if value <= limit else "not reached"]
