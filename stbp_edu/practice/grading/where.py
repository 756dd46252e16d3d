"""Where an answer is wrong: in which calls and cells, and what it mixes or leaves out."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from stbp_edu.checks import Array
from stbp_edu.practice.grading.search import Answer, Finding
from stbp_edu.practice.grading.several import Probe
from stbp_edu.practice.tasks import Inputs

Mask = NDArray[np.bool_]
MOST_ENTRIES = 12
AXES = {1: ("entry",), 2: ("sample", "neuron"), 3: ("step", "sample", "neuron")}


def wrong_calls(answer: Answer) -> list[Finding]:
    """Return what the calls have in common in which an answer is wrong."""
    wrong = np.array(answer.wrong)
    if wrong.all():
        return []
    conditions = list(_of_calls(answer.names, answer.inputs))
    for words, holds in conditions:
        if np.array_equal(holds, wrong):
            text = f"It is wrong where {words}, and right everywhere else."
            return [Finding("calls", words, text)]
    for words, holds in conditions:
        if not (wrong & ~holds).any() and not holds.all():
            text = f"It is wrong only where {words}, though not always there."
            return [Finding("calls", words, text)]
    return []


def _of_calls(names: Sequence[str], inputs: Sequence[Inputs]) -> Iterator[tuple[str, Mask]]:
    """Yield conditions on the arguments of a call, each with the calls in which it holds."""
    columns = {
        name: np.array([i.args[k] for i in inputs], dtype=object)
        for k, name in enumerate(names)
        if isinstance(inputs[0].args[k], (int, str))
    }
    if {"t", "n", "T", "N"} <= columns.keys():
        t, n, T, N = (columns[name].astype(int) for name in ("t", "n", "T", "N"))
        last, top = t == T - 1, n == N
        plain = {"t is the last step": last, "t is not the last step": ~last,
                 "n is the output layer": top, "n is below the output layer": ~top,
                 "t is the first step": t == 0, "n is the lowest layer": n == 1}  # fmt: skip
        yield from plain.items()
        for (a, first), (b, second) in ((x, y) for x in plain.items() for y in plain.items()):
            yield f"{a} or {b}", first | second
        for case, holds in enumerate((last & top, last & ~top, ~last & top, ~last & ~top), 1):
            yield f"the cell belongs to case {case}", holds
    for name, values in columns.items():
        for value in dict.fromkeys(values.tolist()):
            yield f"`{name}` is {value!r}", values == value
            yield f"`{name}` is not {value!r}", values != value
    one = np.array([i.T == 1 for i in inputs])
    yield "there is one step only", one
    yield "there is more than one step", ~one


def wrong_cells(answer: Answer) -> list[Finding]:
    """Return which cells are missing and which are too many, as seen from the cell (t, n)."""
    missing: set[tuple[int, int]] = set()
    extra: set[tuple[int, int]] = set()
    for inputs, got, want in zip(answer.inputs, answer.outcomes, answer.right, strict=True):
        try:
            cells = {(int(i), int(j)) for i, j in got}
        except Exception:  # no set of cells: said elsewhere
            return []
        t, n = inputs.args[:2]
        missing |= {(i - t, j - n) for i, j in set(want) - cells}
        extra |= {(i - t, j - n) for i, j in cells - set(want)}
    named = (("missing", missing), ("too many", extra))
    said = "; ".join(f"{words}: {_cells(cells)}" for words, cells in named if cells)
    return [Finding("cells", said, f"In some calls, {said}.")]


def _cells(offsets: set[tuple[int, int]]) -> str:
    """Return cells by where they lie from (t, n), such as "(t+1, n)"."""
    return ", ".join(f"(t{dt:+d}, n{dn:+d})".replace("+0", "") for dt, dn in sorted(offsets)[:4])


def mixed(probe: Probe) -> list[Finding]:
    """Return what moves in an answer that must not, and what does not move though it must."""
    args = probe.situations[0].args
    base = probe.both(args)
    found: list[Finding] = []
    for k in (k for k in probe.movable if np.ndim(args[k])):
        name, along, ignored = probe.answer.names[k], set[str](), []
        every = list(np.ndindex(np.shape(args[k])))
        some = every[:: max(1, len(every) // MOST_ENTRIES)]
        for index in some:
            moved = args[k].copy()
            moved[index] = moved[index] * 1.37 + 0.1
            after = probe.both((*args[:k], moved, *args[k + 1 :]))
            if base is None or after is None or after[0].shape != base[0].shape:
                return found
            got, want = (_differs(a, b) for a, b in zip(after, base, strict=True))
            along |= _axes_mixed(got, want, probe.answer.axes)
            if want.any() and not (got & want).any():
                ignored.append(index)
        if along:
            text = f"An entry of `{name}` moves entries of your result that it must not move"
            words = " and ".join(sorted(along))
            found.append(Finding("mixing", name, f"{text}: it mixes {words}."))
        elif ignored and len(ignored) < len(some):
            text = f"Some entries of `{name}` have no part in your result, such as the one at index"
            found.append(Finding("mixing", name, f"{text} ({', '.join(map(str, ignored[0]))})."))
    return found


def _differs(a: Array, b: Array) -> Mask:
    """Return where two answers differ by more than rounding."""
    limit = 1e-9 * max(float(np.abs(b[np.isfinite(b)]).max(initial=0.0)), 1e-12)
    differs: Mask = ~(np.abs(a - b) <= limit)
    return differs


def _axes_mixed(got: Mask, want: Mask, axes: Sequence[str]) -> set[str]:
    """Return the names of the axes along which a change spreads further than it must."""
    extra, meant = np.argwhere(got & ~want), np.argwhere(want)
    if not extra.size or not meant.size:
        return set()
    names = axes if len(axes) == got.ndim else AXES.get(got.ndim, ())
    return {
        {"t": "steps", "entry": "entries"}.get(name, f"{name}s")
        for a, name in enumerate(names)
        if not set(extra[:, a].tolist()) <= set(meant[:, a].tolist())
    }
