"""The goals of the training step: whether the published times reach them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

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


def goals_table(record: Record, sizes: Record) -> str:
    """Return a row for every goal: of the main size, and from ``sizes`` how time grows with T.

    A goal is reached if a new network's step reaches it; what one that has learned takes stands
    beside it.
    """
    cell, titles, lines = record["cells"][0], titles_of(record), []
    learned = row_of(cell, "ours-learned")
    ours, rows = row_of(cell, "ours"), [r for r in cell["rows"] if r["name"] in titles]
    peers = {e["name"] for e in record["entries"] if e["peer"]}
    groups = {
        "peers": [r for r in rows if r["name"] in peers],
        "compiled": [r for r in rows if r["name"].endswith("compile")],
        "products": [r for r in rows if r["name"] == "products"],
    }
    fastest = {k: min(group, key=lambda r: r["ms"]) for k, group in groups.items() if group}
    for words, group, limit in TARGETS:
        if group in fastest:
            ratio = ours["ms"] / fastest[group]["ms"]
            measured = f"{ratio:.2f} ({titles[fastest[group]['name']]})"
            if learned is not None:
                measured += f", after an epoch {learned['ms'] / fastest[group]['ms']:.2f}"
            lines.append([words, measured, _reached(ratio, limit)])
    peer = fastest.get("peers", {})
    if ours["peak_mb"] and peer.get("peak_mb"):
        share = ours["peak_mb"] / peer["peak_mb"]
        words = "at most half the peak memory of the fastest spiking framework"
        lines.append([words, f"{share:.2f}", _reached(share, 0.5)])
    if (growth := _growth(sizes)) is not None:
        lines.append(["time linear in T within 10 %", growth[0], _reached(growth[1], 0.10)])
    return table(("goal", "measured", "result"), lines)


def _growth(record: Record) -> tuple[str, float] | None:
    """Return our times over T in words, and how far they stray from the best straight line."""
    cells = sorted((c for c in cells_along(record, "T") if row_of(c, "ours")), key=lambda c: c["T"])
    if len(cells) < 3:  # a line goes through any two
        return None
    T = np.array([c["T"] for c in cells])
    ms = np.array([row_of(c, "ours")["ms"] for c in cells])
    (start, slope), line = _fit(np.stack([np.ones(len(T)), T], axis=1), ms)
    _, proportion = _fit(T[:, None], ms)
    said = ", ".join(f"{t:.1f} ms at T = {k}" for k, t in zip(T, ms, strict=True))
    return (
        f"{said}: {start:.1f} ms and {slope:.2f} ms for each step of T, within {line:.0%} (without "
        f"a fixed part: within {proportion:.0%})"
    ), line


def _fit(terms: NDArray[Any], ms: NDArray[Any]) -> tuple[NDArray[Any], float]:
    """Return the factors of the terms that fit times best, and the largest relative error."""
    relative = terms / ms[:, None]
    factors = np.linalg.lstsq(relative, np.ones(len(ms)))[0]
    return factors, float(np.abs(relative @ factors - 1).max())


def _reached(value: float, limit: float) -> str:
    return "reached" if value <= limit else "not reached"
