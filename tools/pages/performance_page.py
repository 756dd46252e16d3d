"""What the performance page shows of the published records of ``benchmarks``: times and memory."""

from collections.abc import Iterator, Mapping

from stbp_edu import plotting
from stbp_edu.plotting.palette import GRID, SERIES
from stbp_edu.program import weights
from tools.pages import records as reader
from tools.pages.records import Record, figure_html, find

AXES = ("T", "batch", "width", "hidden", "rate")
OURS = ("ours", "ours-numpy", "torch-bridge", "torch-bridge-as-it-comes")
"""The candidates that are this package's own; the bridge runs in PyTorch, and is ours too."""


def names(records: Mapping[str, Record]) -> dict[str, object]:
    """Return the names in ``docs/performance.md``; any record may be missing."""
    return {**vars(reader), **globals(), "records": records, "model": weights}


def titles(record: Record) -> dict[str, str]:
    """Return each candidate's title by its name."""
    return {e["name"]: e["title"] for e in record["entries"]}


def along(record: Record, axis: str) -> list[Record]:
    """Return the main cell and those that differ from it in ``axis`` alone, in its order."""
    main = record["cells"][0]
    others = set(AXES) - {axis}
    found = [c for c in record["cells"] if all(c[k] == main[k] for k in others)]
    return sorted(found, key=lambda c: c[axis] or 100)


def better(record: Record) -> Iterator[tuple[Record, str, str, float]]:
    """Yield what is faster than ours or holds less memory: cell, who, in what, and the ratio."""
    for cell in record["cells"]:
        ours = find(cell, name="ours")
        for r in (r for r in cell["rows"] if r["name"] not in OURS):
            for key, what in (("ms", "time"), ("peak_mb", "memory")):
                if ours[key] is not None and r[key] is not None and r[key] < ours[key]:
                    yield cell, r["name"], what, ours[key] / r[key]


def picture(record: Record, alt: str) -> str:
    """Return a bar for each candidate at the main size, in milliseconds, the longest at the top."""
    rows = sorted(record["cells"][0]["rows"], key=lambda r: -r["ms"])
    # "products" leaves more room for the bars
    known = {**titles(record), "products": "products"}
    fig, ax = plotting.figure(height=0.7 + 0.25 * len(rows))
    for k, r in enumerate(rows):
        colour = GRID if r["name"] == "products" else SERIES[r["name"] not in OURS]
        ax.barh(k, r["ms"], height=0.62, color=colour)
    legend = {"stbp_edu": SERIES[0], "frameworks": SERIES[1], "products": GRID}
    for words, colour in legend.items():
        ax.barh(0, 0, color=colour, label=words)
    labels = [f"{known[r['name']]}  {r['ms']:.1f}" for r in rows]
    ax.set_yticks(range(len(rows)), labels=labels)
    ax.set(xlabel="ms", xlim=(0, None))
    close = {"handletextpad": 0.4, "handlelength": 1.2, "columnspacing": 1.0}
    fig.legend(loc="outside upper right", ncols=3, frameon=False, **close)
    return figure_html(fig, alt)
