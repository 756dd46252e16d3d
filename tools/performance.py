"""The performance page, made from the records of ``benchmarks``: :func:`page` is a pure function.

``python -m tools.performance`` prints it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tools.records import Record, read
from tools.speed_goals import aims
from tools.speed_tables import (
    along,
    candidates,
    engine,
    made,
    network,
    row_of,
    size_of,
    table,
    titles_of,
)

NAMES = ("speed-step", "speed-frameworks", "speed")
ELSEWHERE = "speed-frameworks-"  # records of the same command on other processors
INTRO = """A training step here is one forward pass, one backward pass and one update by Adam, for a
whole batch. Drawing the input spikes is left out, the same for everyone. Every number below is read
from a record that one command makes; the times of one table were taken in one run, in which all
candidates took turns, so that other work on the machine hit them alike. Read ratios rather than
milliseconds: another machine has other milliseconds.
"""
APART = ("products", "ours-learned")  # no whole step, and not of the network of the others


def page(records: Mapping[str, Record]) -> str:
    """Return the page as Markdown.

    Args:
        records: those of ``docs/results`` by name without ``.json``. Used are ``speed-step``, the
            main size, ``speed-frameworks``, all sizes, which stands in for it, ``speed``, and those
            of other processors; any may be missing.
    """
    step, frameworks, alone = (records.get(name) for name in NAMES)
    parts = [INTRO]
    if frameworks is None:
        parts.append(_absent("the frameworks", "make bench-frameworks"))
    else:
        step = step or frameworks
        both = {**step, "cells": [step["cells"][0], *frameworks["cells"][1:]]}
        parts += [_main(both), _goals(step, frameworks), _lost(both)]
        parts += [_sizes(frameworks), candidates(step), made(step)]
        parts += [_elsewhere(r) for name, r in records.items() if name.startswith(ELSEWHERE)]
    if alone is None:
        parts.append(_absent("the engine by itself", "make bench"))
    else:
        parts.append(engine(alone))
    return "\n".join(parts)


def _absent(what: str, command: str) -> str:
    return f"The record of {what} has not been made yet: `{command}`.\n"


def _main(record: Record) -> str:
    """The main size: every candidate, with memory."""
    cell = record["cells"][0]
    lit = any(c["lit_only"] for c in record["cells"])
    more = ", and [further down](#by-size) everyone does" if lit else ""
    return (
        f"## One step at {network(cell)}\n\nT = {cell['T']}, batch {cell['batch']}, float32, "
        f"{cell['rounds']} rounds; images: {cell['data']}. {cell['lit']} of the {cell['inputs']} "
        "pixels are lit in at least one image of the batch. stbp_edu works on the batch in two "
        "halves, each in a process of its own, and leaves unlit pixels out, which changes neither "
        "the potentials nor the gradient; the line “all pixels” keeps them"
        f"{more}.\n\n"
        f"{_steps(record)}\n{_learned(cell)}Peak memory: how far the process "
        "rises above what it holds after its imports, input and parameters included, with the "
        "system's default allocator; of a second process, its imports count, too.\n"
    )


def _steps(record: Record) -> str:
    """A line for every candidate."""
    cell, titles = record["cells"][0], titles_of(record)
    ours = row_of(cell, "ours")
    rows = [
        [
            titles[r["name"]],
            f"{r['ms']:.1f}",
            f"{r['ms_low']:.1f} to {r['ms_high']:.1f}",
            f"{r['ms'] / ours['ms']:.2f}",
            f"{r['ratio']:.2f}",
            "not measured" if r["peak_mb"] is None else f"{r['peak_mb']:.0f}",
        ]
        for r in sorted(cell["rows"], key=lambda r: r["ms"])
    ]
    absent = [(e["title"], e["absent"]) for e in record["entries"] if e["absent"]]
    absent += [(titles[name], f"failed: {why}") for name, why in cell["failed"].items()]
    rows += [[title, why, "", "", "", ""] for title, why in absent]
    head = ("", "median, ms", "quartiles, ms", "÷ stbp_edu", "÷ the products", "peak MB")
    return table(head, rows)


def _learned(cell: Record) -> str:
    """What the line of the network that has learned stands for."""
    if cell.get("perfect") is None:
        return ""
    return (
        "All lines but one are of a new network. After one epoch it "
        f"answers {cell['perfect']} of these {cell['batch']} images, in one draw of spikes, with "
        "rates that are exactly the target. Case 1 is zero for them, and with it every other δ and "
        "ε: the trainer leaves them out of the backward pass, and the gradient stays the same. The "
        "other candidates do the same work for every image, and were timed with the new network "
        "alone.\n\n"
    )


def _elsewhere(record: Record) -> str:
    """What another processor makes of the main size."""
    return (
        f"## On {record['machine']['processor']}\n\nThe main size on another processor, with Adam "
        f"at {record['lr']:g}. {record.get('remark', '')}\n\n"
        f"{_steps(record)}\n{aims(record, record)}\n{made(record)}"
    )


def _goals(record: Record, sizes: Record) -> str:
    """What this project set out to reach, and whether it does."""
    return f"### What we set out to reach\n\n{aims(record, sizes)}"


def _lost(record: Record) -> str:
    """Everything that is faster than we are, or holds less memory."""
    titles, lines = titles_of(record), []
    for cell in record["cells"]:
        ours = row_of(cell, "ours")
        for r in cell["rows"]:
            if r["name"].startswith("ours"):
                continue
            for key, unit in (("ms", "ms"), ("peak_mb", "MB")):
                if ours[key] is not None and r[key] is not None and r[key] < ours[key]:
                    figures = f"{r[key]:.1f} {unit}", f"{ours[key]:.1f} {unit}"
                    lines.append([size_of(cell), titles[r["name"]], *figures])
    text = "### Where stbp_edu loses\n\n"
    if not lines:
        return text + "At none of these sizes is another candidate faster, or smaller in memory.\n"
    head = ("size", "better", "it takes", "stbp_edu takes")
    return text + table(head, lines)


def _sizes(record: Record) -> str:
    """The cross around the main size: a table for T, for the width, for the batch."""
    if len(record["cells"]) == 1:
        return ""
    text = "## By size {#by-size}\n\nMedians in ms. Bold: the fastest that does the whole step.\n\n"
    for key, words in (("T", "time steps T"), ("width", "hidden width"), ("batch", "batch")):
        cells = sorted(along(record, key), key=lambda c: c[key])
        text += f"{_columns(record, cells, [f'{key} {c[key]}' for c in cells], words)}\n"
    lit = [c for c in record["cells"] if c["lit_only"]]
    if lit:
        cells = [record["cells"][0], *lit]
        heads = [f"all {cells[0]['inputs']} pixels", f"the {lit[0]['inputs']} lit pixels"]
        text += (
            "A framework can leave the unlit pixels out, too. If everyone is given the lit "
            f"pixels alone:\n\n{_columns(record, cells, heads, 'input')}\n"
        )
    return f"{text}{record.get('remark', '')} {made(record)}"


def _columns(record: Record, cells: Sequence[Record], heads: Sequence[str], words: str) -> str:
    """Return a table with a column for each cell."""
    best = [min(r["ms"] for r in c["rows"] if r["name"] not in APART) for c in cells]
    lines = []
    for entry in record["entries"]:
        if entry["name"] == "ours-learned":  # another network than the others'
            continue
        line = [entry["title"]]
        for cell, least in zip(cells, best, strict=True):
            r = row_of(cell, entry["name"])
            bold = "**" if r and r["ms"] == least and r["name"] not in APART else ""
            line.append(f"{bold}{r['ms']:.1f}{bold}" if r else "–")
        lines.append(line)
    return table((words, *heads), lines)


if __name__ == "__main__":
    print("# Performance\n")
    print(page(read()))
