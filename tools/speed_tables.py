"""Parts of the performance page: tables, and the sections that say how its numbers were made."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from tools.records import Record

# What stands in a column of numbers: 12.3, **12.3**, 11 to 12, 98.7 ± 0.1, 10 min 02 s.
NUMBER = re.compile(r"\**\d[\d.\s]*((±|to|h|min|s|ms|MB)[\d.\s]*)*\**|–|not \w+|")


def candidates(record: Record) -> str:
    """How each was used, and how far its gradient is from ours."""
    neuron = record["neuron"]
    lines = []
    for e in record["entries"]:
        versions = ", ".join(f"{k} {v}" for k, v in e["versions"].items())
        form = f"{e['form'][0].upper()}{e['form'][1:]}"
        rule = "–" if e["name"] == "products" else f"`{e['rule']}`"
        lines.append([e["title"], versions, form, rule, _gradients(e["gradients"])])
    head = ("", "version", "how it is used", "rule", "gradient, relative difference")
    return (
        "## The candidates\n\nAll of them compute the same network: "
        f"τ\xa0=\xa0{neuron['tau']}, V<sub>th</sub>\xa0=\xa0{neuron['v_th']}, "
        f"the {neuron['gate']} gate (decay, and reset to zero after a spike), "
        f"surrogate: {neuron['surrogate']}, Adam at {record['lr']:g}{_small(record['lr'])}. "
        "Each runs in a process of its own with as many threads as there are cores, and the "
        "frameworks with the C library told not to give memory back to the system, which makes "
        "them faster. "
        "The gradient of each is compared with that of the five cases of this course, and that of "
        "our trainer's step, made of two halves, with that of the whole batch: the table has the "
        "largest error, relative to the largest entry. In float32 a potential within rounding of "
        "the threshold may spike in one program and not in the other. snnTorch detaches the "
        "reset: it has less to compute, and is compared with that rule.\n\n"
        f"{table(head, lines)}"
    )


def _small(lr: float) -> str:
    """Why a learning rate is as small as it is, in the records since it is."""
    if lr > 1e-5:
        return ""
    return (
        ", so small that the network stays as it is while steps are timed. (A network that learns "
        "its one batch by heart has errors below the smallest normal float32, over which some "
        "processors take twice the time, and images that our step leaves out)"
    )


def _gradients(found: Record) -> str:
    """Say how far gradients are apart."""
    if "failed" in found:
        return f"not compared: {found['failed']}"
    return ", ".join(f"`{v:.0e}` in {k}" for k, v in found.items()) or "none to compare"


def engine(record: Record) -> str:
    """The record of ``benchmarks.engine``."""
    rows = [
        [r["name"], f"{r['ms']:.1f}", f"{r['ms_low']:.1f} to {r['ms_high']:.1f}",
         f"{r['ratio']:.2f}", f"{r['peak_mb']:.0f}"]
        for r in record["ladder"]
    ]  # fmt: skip
    scaling = [
        [str(r["T"]), str(r["S"]), f"{r['ms']:.1f}", f"{r['ratio']:.2f}",
         f"{r['us_per_step_and_sample']:.2f}"]
        for r in record["scaling"]
    ]  # fmt: skip
    head = ("", "median, ms", "quartiles, ms", "÷ the products", "peak MB in NumPy")
    more = ("T", "batch", "median, ms", "÷ the products", "µs for one sample and step")
    return (
        "## The engine by itself\n\n"
        f"{record['what']}, T = {record['T']}, batch {record['S']}, every pixel, one call of the "
        "library without the trainer: the form that is made to be read, the engine, and the five "
        f"matrix products that no form can do without.\n\n{table(head, rows)}\n"
        f"{table(more, scaling)}\n{made(record)}"
    )


def made(record: Record) -> str:
    """How the record was made."""
    machine, versions = record["machine"], record["versions"]
    loads = [x for c in record.get("cells", []) for x in c["load"]]
    load = f" Load of the machine meanwhile: {min(loads)} to {max(loads)}." if loads else ""
    return (
        f"Made by `{record['command']}` on {machine['processor']}, {machine['cores']} cores, "
        f"{machine['system']}; Python {versions['python']}, NumPy {versions['numpy']}, "
        f"{versions['blas']}.{load}\n"
    )


def along(record: Record, key: str) -> list[Record]:
    """Return the cells that differ from the main one in ``key`` alone, and the main one."""
    home = record["cells"][0]
    keys = {"T", "batch", "width", "lit_only"} - {key}
    return [c for c in record["cells"] if all(c[k] == home[k] for k in keys)]


def row_of(cell: Record, name: str) -> Any:
    """Return a candidate's row, or None."""
    return next((r for r in cell["rows"] if r["name"] == name), None)


def titles_of(record: Record) -> dict[str, str]:
    """Return each candidate's title by its name."""
    return {e["name"]: e["title"] for e in record["entries"]}


def network(cell: Record) -> str:
    """Return the widths of the layers."""
    return f"{cell['inputs']}-{cell['width']}-10"


def size_of(cell: Record) -> str:
    """Return all that is varied."""
    return f"{network(cell)}, T = {cell['T']}, batch {cell['batch']}"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table, with numbers at the right of their columns."""
    rows = list(rows)
    columns = zip(*rows, strict=True) if rows else [()] * len(head)
    rules = ["---:" if all(map(NUMBER.fullmatch, column)) else "---" for column in columns]
    lines = [head, rules, *rows]
    return "".join(f"| {' | '.join(x.replace('|', '/') for x in line)} |\n" for line in lines)
