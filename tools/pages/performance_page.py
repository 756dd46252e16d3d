"""The performance page: times and memory, made from the published records of ``benchmarks``.

``python -m tools.pages.performance_page`` prints it.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from stbp_edu import plotting
from stbp_edu.plotting.palette import GRID, INK, SERIES
from tools.pages.markdown_tables import folded, table
from tools.pages.published_records import Record, read_records
from tools.pages.speed_goals import cells_along, fastest_of, goals_table, row_of, titles_of
from tools.templates import filled

TEMPLATE = Path(__file__).with_name("templates") / "performance.md"
ELSEWHERE = "speed-frameworks-"  # records of other processors
NO_WHOLE_STEP = ("products", "ours-learned")  # the second is of another network than the others
ALL_PIXELS = "ours-all-pixels"
LEVEL = 0.01  # two times that differ by a smaller share are called level


def page(records: Mapping[str, Record]) -> str:
    """Return the page as Markdown: ``templates/performance.md`` with its tables.

    Args:
        records: those of ``docs/results`` by name without ``.json``. Used are ``speed-step``, the
            main size, ``speed-frameworks``, all sizes, which stands in for it, ``speed``, and those
            of other processors; any may be missing.
    """
    sizes = records.get("speed-frameworks")
    step = sizes and records.get("speed-step", sizes)
    cells = step and sizes and [step["cells"][0], *sizes["cells"][1:]]
    others = [{"remark": "", **records[n]} for n in records if n.startswith(ELSEWHERE)]
    engine, convolution = records.get("speed"), records.get("speed-convolution")
    all_of_them = (step, sizes, *others, engine, convolution)
    used = [r for r in ({id(r): r for r in all_of_them}.values()) if r]
    return filled(
        TEMPLATE, step=step, sizes=sizes, others=others, engine=engine, network=network,
        convolution=convolution, convolution_table=convolution_table,
        losses=step and losses_table({**step, "cells": cells}), lit_only=sizes and _lit_only(sizes),
        step_table=step_table, goals_table=goals_table, size_table=size_table, growth=growth,
        input_table=input_table, candidates_table=candidates_table, engine_table=engine_table,
        scaling_table=scaling_table, equal_input=equal_input, lead=lead, picture=picture,
        folded=folded, made_by=provenance(used) if used else "",
    )  # fmt: skip


def lead(record: Record) -> str:
    """Return a sentence on our step at the main size beside the fastest of the others."""
    cell, titles = record["cells"][0], titles_of(record)
    size = f"{network(cell)} (T = {cell['T']}, batch {cell['batch']})"
    ours = f"{row_of(cell, 'ours')['ms']:.1f}\xa0ms"
    own = f"On {_processor(record)}, a training step at {size} takes `stbp_edu` {ours}"
    others = [r for r in cell["rows"] if not r["name"].startswith(("ours", "products"))]
    if not others:
        return f"{own}."
    best = min(others, key=lambda r: r["ms"])
    return f"{own} and the fastest of the others, {titles[best['name']]}, {best['ms']:.1f}."


def equal_input(record: Record, others: Sequence[Record]) -> str:
    """Return sentences on who is ahead where everyone computes every pixel, for each processor."""
    said = []
    for r in (record, *others):
        cell, titles = r["cells"][0], titles_of(r)
        ours, peer = row_of(cell, ALL_PIXELS), fastest_of(r, "compiled")
        if ours and peer:
            gap = ours["ms"] / peer["ms"] - 1
            way = "level with" if abs(gap) < LEVEL else "behind" if gap > 0 else "ahead of"
            said.append(
                f"{way} {titles[peer['name']]} on {_processor(r)} ({ours['ms']:.1f} against "
                f"{peer['ms']:.1f}\xa0ms)"
            )
    if not said:
        return ""
    words = "`stbp_edu` leaves dark pixels out, and the others do not"
    return f"{words}. **On equal input, every pixel for all, it is {' and '.join(said)}.**"


def picture(record: Record, others: Sequence[Record]) -> str:
    """Return a bar for each candidate at the main size, and a mark for each other processor."""
    titles = titles_of(record)
    rows = [r for r in record["cells"][0]["rows"] if r["name"] != "ours-learned"]
    rows = sorted(rows, key=lambda r: -r["ms"])
    fig, ax = plotting.figure(height=0.7 + 0.25 * len(rows))
    for k, r in enumerate(rows):
        own = r["name"].startswith("ours")
        colour = SERIES[0] if own else GRID if r["name"] == "products" else SERIES[1]
        bare = r["name"] == ALL_PIXELS  # outlined: the same work as the others do
        ax.barh(k, r["ms"], height=0.62, linewidth=1.2, edgecolor=colour,
                color="none" if bare else colour)  # fmt: skip
    for other, marker in zip(others, "DsvP", strict=False):
        there = {r["name"]: r["ms"] for r in other["cells"][0]["rows"]}
        points = [(there[r["name"]], k) for k, r in enumerate(rows) if r["name"] in there]
        ax.plot(*zip(*points, strict=True), marker, markersize=4.5, color=INK,
                label=_processor(other))  # fmt: skip
    ax.barh(0, 0, color=SERIES[1], label=_processor(record))  # for the legend alone
    ax.set_yticks(range(len(rows)), labels=[f"{titles[r['name']]}  {r['ms']:.1f}" for r in rows])
    ax.set(xlabel="ms for a training step", xlim=(0, None))
    fig.legend(loc="outside upper right", ncols=3, frameon=False, handletextpad=0.4)
    said = ", ".join(f"{titles[r['name']]} {r['ms']:.1f}" for r in reversed(rows))
    alt = f"Milliseconds for a training step on {_processor(record)}: {said}."
    return f'<div class="stbp-figure">{plotting.show(fig, alt=alt).svg}</div>\n'


def _lit_only(record: Record) -> list[Record]:
    """Return the cells in which everyone leaves the unlit pixels out."""
    return [cell for cell in record["cells"] if cell["lit_only"]]


def step_table(record: Record) -> str:
    """Return a row for each candidate at the main size: time, ratios and memory."""
    cell, titles = record["cells"][0], titles_of(record)
    ours, products = row_of(cell, "ours"), row_of(cell, "products")
    rows = [
        [
            titles[r["name"]],
            f"{r['ms']:.1f}",
            f"{r['ms_low']:.1f} to {r['ms_high']:.1f}",
            f"{r['ms'] / ours['ms']:.2f}",
            f"{r['ms'] / products['ms']:.2f}" if products else "–",
            "not measured" if r["peak_mb"] is None else f"{r['peak_mb']:.0f}",
        ]
        for r in sorted(cell["rows"], key=lambda r: r["ms"])
    ]
    absent = [(e["title"], e["absent"]) for e in record["entries"] if e["absent"]]
    absent += [(titles[name], f"failed: {why}") for name, why in cell["failed"].items()]
    rows += [[title, why, "", "", "", ""] for title, why in absent]
    head = ("", "median, ms", "quartiles, ms", "÷ stbp_edu", "÷ the products", "peak MB")
    return table(head, rows)


def losses_table(record: Record) -> str:
    """Return a row for everything that is faster than ours or holds less memory; or nothing.

    With every pixel ours is compared with those alone that do the whole step.
    """
    titles, rows = titles_of(record), []
    for cell in record["cells"]:
        ours, bare = row_of(cell, "ours"), row_of(cell, ALL_PIXELS)
        size = _unlike(cell, record["cells"][0])
        for r in (r for r in cell["rows"] if not r["name"].startswith("ours")):
            for key, what in (("ms", "time"), ("peak_mb", "memory")):
                if ours[key] is not None and r[key] is not None and r[key] < ours[key]:
                    rows.append([size, titles[r["name"]], what, f"{ours[key] / r[key]:.2f}"])
                elif key == "ms" and bare and r["name"] != "products" and r[key] < bare[key]:
                    words = f"{size}, every pixel"
                    rows.append([words, titles[r["name"]], what, f"{bare[key] / r[key]:.2f}"])
    head = ("size", "better", "in", "stbp_edu ÷ it")
    return table(head, rows) if rows else ""


def _unlike(cell: Record, main: Record) -> str:
    """Return what a size has unlike the main one."""
    words = {"T": "T = {}", "width": "width {}", "batch": "batch {}", "inputs": "{} lit pixels"}
    changed = [w.format(cell[k]) for k, w in words.items() if cell[k] != main[k]]
    return ", ".join(changed) or "as above"


def growth(record: Record) -> str:
    """Return a sentence on how our time grows with the number of steps."""
    cells = sorted((c for c in cells_along(record, "T") if row_of(c, "ours")), key=lambda c: c["T"])
    said = [
        f"from T = {a['T']} to {b['T']}, {b['T'] / a['T']:.2g} times as many steps, it takes "
        f"{row_of(b, 'ours')['ms'] / row_of(a, 'ours')['ms']:.1f} times as long"
        for a, b in pairwise(cells)
    ]
    if not said:
        return ""
    return (
        f"As for the time of `stbp_edu` itself: {'; '.join(said)}. Below 16 steps it leaves pixels "
        "out in a simpler way, so that these times lie on no common line."
    )


def size_table(record: Record, axis: str, title: str) -> str:
    """Return a column for each value of ``T``, ``width`` or ``batch``."""
    cells = sorted(cells_along(record, axis), key=lambda c: c[axis])
    return _columns(record, cells, [title, *(f"{axis} {c[axis]}" for c in cells)])


def input_table(record: Record) -> str:
    """Return a column for all pixels, and one for the lit pixels alone."""
    cells = [record["cells"][0], *_lit_only(record)]
    words = f"all {cells[0]['inputs']} pixels", f"the {cells[1]['inputs']} lit pixels"
    return _columns(record, cells, ["input", *words])


def _columns(record: Record, cells: Sequence[Record], head: Sequence[str]) -> str:
    """Return a table with a row for each candidate and a column for each cell."""
    best = [min(r["ms"] for r in c["rows"] if r["name"] not in NO_WHOLE_STEP) for c in cells]
    rows = []
    for entry in record["entries"]:
        if entry["name"] == "ours-learned":
            continue
        row = [entry["title"]]
        for cell, least in zip(cells, best, strict=True):
            r = row_of(cell, entry["name"])
            bold = "**" if r and r["ms"] == least and r["name"] not in NO_WHOLE_STEP else ""
            ours = row_of(cell, "ours")["ms"]
            row.append(f"{bold}{r['ms'] / ours:.2f}{bold}" if r else "–")
        rows.append(row)
    return table(head, rows)


def candidates_table(record: Record) -> str:
    """Return a row for each candidate: version, use, and how far its gradient is from ours."""
    rows = []
    for e in record["entries"]:
        versions = ", ".join(f"{k} {v}" for k, v in e["versions"].items())
        form = f"{e['form'][0].upper()}{e['form'][1:]}"
        rule = "–" if e["name"] == "products" else f"`{e['rule']}`"
        rows.append([e["title"], versions, form, rule, _gradients(e["gradients"])])
    head = ("", "version", "how it is used", "rule", "gradient, relative difference")
    return table(head, rows)


def _gradients(errors: Record) -> str:
    """Return how far gradients are apart, for each dtype."""
    if "failed" in errors:
        return f"not compared: {errors['failed']}"
    return ", ".join(f"`{v:.0e}` in {k}" for k, v in errors.items()) or "none to compare"


def engine_table(record: Record) -> str:
    """Return a row for each form of the step in ``benchmarks.engine_speed``."""
    rows = [[r["name"], f"{r['ratio']:.2f}", f"{r['peak_mb']:.0f}"] for r in record["ladder"]]
    return table(("", "÷ the products", "peak MB of NumPy's arrays"), rows)


def scaling_table(record: Record) -> str:
    """Return a row for each T and batch that the engine was timed at."""
    rows = [[str(r["T"]), str(r["S"]), f"{r['ratio']:.2f}"] for r in record["scaling"]]
    return table(("T", "batch", "÷ the products"), rows)


def convolution_table(record: Record) -> str:
    """Return a row for each candidate that ran the step of the convolutional network."""
    rows = []
    for r in record["rows"]:
        gap = f"`{r['gradients']:.0e}`" if r["gradients"] else "–"
        rows.append([r["name"], f"{r['ms']:.1f}", f"{r['ratio']:.2f}", f"`{r['rule']}`", gap])
    head = ("", "ms", "÷ stbp_edu", "rule", "gradient, relative difference")
    return table(head, rows)


def provenance(records: Sequence[Record]) -> str:
    """Return a row for each record: command, machine, versions and load."""
    rows = []
    for record in records:
        machine, versions = record["machine"], record["versions"]
        loads = [x for c in record.get("cells", []) for x in c["load"]]
        rows.append(
            [
                f"`{record['command']}`",
                f"{machine['processor']}, {machine['cores']} cores, {machine['system']}",
                f"Python {versions['python']}, NumPy {versions['numpy']}, {versions['blas']}",
                f"{min(loads)} to {max(loads)}" if loads else "–",
            ]
        )
    return table(("command", "machine", "versions", "load meanwhile"), rows)


def _processor(record: Record) -> str:
    """Return the short name of a record's processor."""
    return str(record["machine"]["processor"].replace("(R)", "").removesuffix(" Processor"))


def network(cell: Record) -> str:
    """Return the widths of the layers."""
    return f"{cell['inputs']}-{cell['width']}-10"


if __name__ == "__main__":
    print(page(read_records()))
