"""The performance page: times and memory, made from the published records of ``benchmarks``.

``python -m tools.pages.performance_page`` prints it.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from tools.pages.markdown_tables import table
from tools.pages.published_records import Record, read_records
from tools.pages.speed_goals import cells_along, goals_table, row_of, titles_of
from tools.templates import filled

TEMPLATE = Path(__file__).with_name("templates") / "performance.md"
ELSEWHERE = "speed-frameworks-"  # records of other processors
NO_WHOLE_STEP = ("products", "ours-learned")  # the second is of another network than the others


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
    return filled(
        TEMPLATE, step=step, sizes=sizes and {"remark": "", **sizes},
        losses=step and losses_table({**step, "cells": cells}), lit_only=sizes and _lit_only(sizes),
        others=[{"remark": "", **records[n]} for n in records if n.startswith(ELSEWHERE)],
        engine=records.get("speed"), network=network, step_table=step_table,
        goals_table=goals_table, size_table=size_table, input_table=input_table,
        candidates_table=candidates_table, engine_table=engine_table, scaling_table=scaling_table,
        provenance=provenance,
    )  # fmt: skip


def _lit_only(record: Record) -> list[Record]:
    """Return the cells in which everyone leaves the unlit pixels out."""
    return [cell for cell in record["cells"] if cell["lit_only"]]


def step_table(record: Record) -> str:
    """Return a row for each candidate at the main size: time, ratios and memory."""
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


def losses_table(record: Record) -> str:
    """Return a row for everything that is faster than ours, or holds less memory; or nothing."""
    titles, rows = titles_of(record), []
    for cell in record["cells"]:
        ours = row_of(cell, "ours")
        size = f"{network(cell)}, T = {cell['T']}, batch {cell['batch']}"
        for r in cell["rows"]:
            if r["name"].startswith("ours"):
                continue
            for key, unit in (("ms", "ms"), ("peak_mb", "MB")):
                if ours[key] is not None and r[key] is not None and r[key] < ours[key]:
                    rows.append([size, titles[r["name"]],
                                 f"{r[key]:.1f} {unit}", f"{ours[key]:.1f} {unit}"])  # fmt: skip
    return table(("size", "better", "it takes", "stbp_edu takes"), rows) if rows else ""


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
            row.append(f"{bold}{r['ms']:.1f}{bold}" if r else "–")
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
    rows = [
        [r["name"], f"{r['ms']:.1f}", f"{r['ms_low']:.1f} to {r['ms_high']:.1f}",
         f"{r['ratio']:.2f}", f"{r['peak_mb']:.0f}"]
        for r in record["ladder"]
    ]  # fmt: skip
    head = ("", "median, ms", "quartiles, ms", "÷ the products", "peak MB in NumPy")
    return table(head, rows)


def scaling_table(record: Record) -> str:
    """Return a row for each T and batch that the engine was timed at."""
    rows = [
        [str(r["T"]), str(r["S"]), f"{r['ms']:.1f}", f"{r['ratio']:.2f}",
         f"{r['us_per_step_and_sample']:.2f}"]
        for r in record["scaling"]
    ]  # fmt: skip
    return table(("T", "batch", "median, ms", "÷ the products", "µs for one sample and step"), rows)


def provenance(record: Record) -> str:
    """Return a sentence on how a record was made: command, machine, versions and load."""
    machine, versions = record["machine"], record["versions"]
    loads = [x for c in record.get("cells", []) for x in c["load"]]
    load = f" Load of the machine meanwhile: {min(loads)} to {max(loads)}." if loads else ""
    return (
        f"Made by `{record['command']}` on {machine['processor']}, {machine['cores']} cores, "
        f"{machine['system']}; Python {versions['python']}, NumPy {versions['numpy']}, "
        f"{versions['blas']}.{load}\n"
    )


def network(cell: Record) -> str:
    """Return the widths of the layers."""
    return f"{cell['inputs']}-{cell['width']}-10"


if __name__ == "__main__":
    print(f"# Performance\n\n{page(read_records())}")
