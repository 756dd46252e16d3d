"""What the performance page shows of the published records of ``benchmarks``: times and memory."""

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

from stbp_edu import plotting
from stbp_edu.plotting.palette import GRID, INK, SERIES
from stbp_edu.program import weights
from tools.pages import Record, figure_html, processor

AXES = ("T", "batch", "width", "hidden", "rate")
OURS = ("ours", "ours-numpy", "torch-bridge", "torch-bridge-as-it-comes")
"""The candidates that are this package's own; the bridge runs in PyTorch, and is ours too."""
GROWING = {
    "T": "time steps T",
    "batch": "batch",
    "width": "hidden width",
    "hidden": "hidden layers",
}
"""The axes along which the cost grows, in words."""
CLASSES, FLOAT = 10, 4
"""Output neurons, and bytes of a float32."""


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
    known = titles(record)
    rows = sorted(record["cells"][0]["rows"], key=lambda r: -r["ms"])
    fig, ax = plotting.figure(height=0.7 + 0.25 * len(rows))
    for k, r in enumerate(rows):
        ax.barh(k, r["ms"], height=0.62, color=_colour(r["name"]))
    legend = {"ours": "stbp_edu", "torch-compile": "frameworks", "products": "products"}
    for name, words in legend.items():
        ax.barh(0, 0, color=_colour(name), label=words)
    known["products"] = "products"  # which leaves more room for the bars
    ax.set_yticks(
        range(len(rows)), labels=[f"{known[r['name']]}  {r['ms']:.1f}" for r in rows]
    )
    ax.set(xlabel="ms", xlim=(0, None))
    close = {"handletextpad": 0.4, "handlelength": 1.2, "columnspacing": 1.0}
    fig.legend(loc="outside upper right", ncols=3, frameon=False, **close)
    return figure_html(fig, alt)


def _colour(name: str) -> str:
    """Return the colour of a candidate's bar."""
    if name == "products":
        return GRID
    return SERIES[0] if name in OURS else SERIES[1]


def weights_of(cell: Record) -> int:
    """Return the weights of a cell's network."""
    widths = [cell["inputs"], *[cell["width"]] * cell["hidden"], CLASSES]
    return sum(m * n for m, n in pairwise(widths))


def bytes_moved(cell: Record) -> float:
    """Return the least that a training step reads and writes, where every array is moved once.

    Of each step and sample: the input is read forward and by the gradient; the states u and o are
    written forward and read backward; ε is written and read. Of each weight: it is read forward and
    backward, its gradient is written and read, and Adam reads and writes the weight, m and v.
    """
    neurons = cell["width"] * cell["hidden"] + CLASSES
    of_each = cell["T"] * cell["batch"] * (2 * cell["inputs"] + 6 * neurons)
    return FLOAT * (of_each + 10 * weights_of(cell))


def growth(record: Record, bandwidth: float) -> str:
    """Return a figure of the time for a weight, a step and a sample, along each axis."""
    fig, axes = plotting.figure(2, 2, height=4.6, sharey=True)
    said = []
    for ax, (axis, words) in zip(axes.flat, GROWING.items(), strict=True):
        cells = along(record, axis)
        at = [cell[axis] for cell in cells]
        parts = [weights_of(c) * c["T"] * c["batch"] for c in cells]
        lines = {
            name: [
                row(c, name)["ms"] * 1e9 / n for c, n in zip(cells, parts, strict=True)
            ]
            for name in ("ours", "products")
        }
        moved = [
            bytes_moved(c) / bandwidth * 1e3 / n
            for c, n in zip(cells, parts, strict=True)
        ]
        ax.plot(at, lines["ours"], "o-", color=SERIES[0], label="stbp_edu")
        ax.plot(at, lines["products"], "s-", color=GRID, label="products")
        ax.plot(at, moved, "--", color=INK, label="limit")
        ax.set(xlabel=words, xscale="log")
        ax.set_xticks(at, labels=map(str, at))
        ax.minorticks_off()
        pairs = ", ".join(
            f"{k}: {t:.1f}" for k, t in zip(at, lines["ours"], strict=True)
        )
        said.append(f"{words} {pairs}")
    for ax in axes[:, 0]:
        ax.set_ylabel("picoseconds")
    axes.flat[0].set_ylim(bottom=0)
    handles, labels = axes.flat[0].get_legend_handles_labels()
    fig.legend(handles, labels, loc="outside upper right", ncols=3, frameon=False)
    alt = f"Picoseconds for a weight, a step and a sample. {'; '.join(said)}."
    return figure_html(fig, alt)
