"""Where an answer is wrong: in which calls, in which entries, and what it mixes or leaves out."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stbp_edu.checks import Array
from stbp_edu.practice.grading.probe import Probe
from stbp_edu.practice.tasks import Inputs

Mask = NDArray[np.bool_]
MOST_ENTRIES = 12
AXES = {1: ("entry",), 2: ("sample", "neuron"), 3: ("step", "sample", "neuron")}


def calls_that_are_wrong(names: Sequence[str], inputs: Sequence[Inputs], wrong: Mask) -> str:
    """Return what holds in exactly the calls that are wrong, in words; "" where nothing does."""
    if wrong.all() or not wrong.any():
        return ""
    for words, holds in _call_conditions(names, inputs):
        if np.array_equal(holds, wrong):
            return f"It is wrong where {words}, and right everywhere else."
    for words, holds in _call_conditions(names, inputs):
        if not (wrong & ~holds).any() and holds.any() and not holds.all():
            return f"It is wrong only where {words}, though not always there."
    return ""


def _call_conditions(names: Sequence[str], inputs: Sequence[Inputs]) -> Iterator[tuple[str, Mask]]:
    """Yield conditions on the arguments of a call, each with the calls in which it holds."""
    columns = {
        name: np.array([i.args[k] for i in inputs], dtype=object)
        for k, name in enumerate(names)
        if isinstance(inputs[0].args[k], (int, str))
    }
    plain: list[tuple[str, Mask]] = []
    if {"t", "n", "T", "N"} <= columns.keys():
        t, n, T, N = (columns[name].astype(int) for name in ("t", "n", "T", "N"))
        last, top = t == T - 1, n == N
        plain += [
            ("t is the last step", last),
            ("t is not the last step", ~last),
            ("n is the output layer", top),
            ("n is below the output layer", ~top),
            ("t is the first step", t == 0),
            ("n is the lowest layer", n == 1),
            ("t is the last step or n is the output layer", last | top),
            ("t is before the last step or n is below the output", ~(last & top)),
            ("t is the last step or n is below the output layer", last | ~top),
            ("t is before the last step or n is the output layer", ~last | top),
        ]
        for case, holds in enumerate((last & top, last & ~top, ~last & top, ~last & ~top), 1):
            plain.append((f"the cell belongs to case {case}", holds))
    for name, values in columns.items():
        for value in dict.fromkeys(values.tolist()):
            holds = values == value
            plain += [(f"`{name}` is {value!r}", holds), (f"`{name}` is not {value!r}", ~holds)]
    counts = np.array([(i.T, i.S) for i in inputs])
    plain += [("there is one step only", counts[:, 0] == 1)]
    plain += [("there is more than one step", counts[:, 0] > 1)]
    yield from plain
    for a, first in plain[:16]:
        for b, second in plain[:16]:
            if a < b:
                yield f"{a} and {b}", first & second


def entries_that_are_wrong(
    names: Sequence[str], inputs: Sequence[Inputs], wrong: Sequence[Mask]
) -> str:
    """Return what holds in exactly the entries that are wrong, in words; "" where nothing does."""
    every = np.concatenate([w.ravel() for w in wrong]) if wrong else np.zeros(0, bool)
    if not every.size or every.all() or not every.any():
        return ""
    for words, holds in _entry_conditions(names, inputs, wrong):
        if np.array_equal(holds, every):
            return f"It is wrong where {words}, and right everywhere else."
    for words, holds in _entry_conditions(names, inputs, wrong):
        if not (every & ~holds).any() and not holds.all():
            return f"It is wrong only where {words}, though not always there."
    return ""


def _entry_conditions(
    names: Sequence[str], inputs: Sequence[Inputs], wrong: Sequence[Mask]
) -> Iterator[tuple[str, Mask]]:
    """Yield conditions on entries, each with the entries in which it holds."""
    every = np.concatenate([w.ravel() for w in wrong])
    for axis in range(wrong[0].ndim if wrong[0].ndim > 1 else 0):
        place = [np.indices(w.shape)[axis] for w in wrong]
        name = AXES.get(wrong[0].ndim, ("entry",) * 9)[axis]
        flat = np.concatenate([p.ravel() for p in place])
        end = np.concatenate([(p == p.shape[axis] - 1).ravel() for p in place])
        yield f"the {name} is the first one", flat == 0
        yield f"the {name} is not the first one", flat != 0
        yield f"the {name} is the last one", end
        yield f"the {name} is not the last one", ~end
    same = [
        k for k in range(len(names))
        if all(np.shape(i.args[k]) == w.shape for i, w in zip(inputs, wrong, strict=True))
        and np.asarray(inputs[0].args[k]).dtype.kind in "fiu"
    ]  # fmt: skip
    scalars = [k for k in range(len(names)) if isinstance(inputs[0].args[k], float)]
    for k in same:
        values = [np.asarray(i.args[k], dtype=float) for i in inputs]
        x = np.concatenate([v.ravel() for v in values])
        yield f"`{names[k]}` is positive", x > 0
        yield f"`{names[k]}` is negative", x < 0
        yield f"`{names[k]}` is 0", x == 0
        yield f"`{names[k]}` is not 0", x != 0
        for j in scalars:
            limit = np.concatenate(
                [np.full(v.size, i.args[j]) for i, v in zip(inputs, values, strict=True)]
            )
            for words, holds in (
                ("is equal to", x == limit), ("is above", x > limit), ("is below", x < limit),
            ):  # fmt: skip
                yield f"`{names[k]}` {words} `{names[j]}`", holds
        for words, size in ((f"`{names[k]}`", x), (f"the size of `{names[k]}`", np.abs(x))):
            bad, good = size[every], size[~every]
            if bad.min() > good.max():
                yield f"{words} is above about {bad.min():.3g}", size >= bad.min()
            if bad.max() < good.min():
                yield f"{words} is below about {bad.max():.3g}", size <= bad.max()


def mixing(probe: Probe, result: int, axes: Sequence[str]) -> list[tuple[str, frozenset[str]]]:
    """Return what moves that must not, and what does not move though it must, by the input."""
    found: list[tuple[str, frozenset[str]]] = []
    for k in probe.movable:
        for inputs in probe.situations[:1]:
            args = inputs.args
            base = probe.ask(args), probe.ask(args, right=True)
            if np.ndim(args[k]) == 0 or base[0] is None or base[1] is None:
                continue
            mixed: set[str] = set()
            ignored = []
            for index in _some_entries(args[k]):
                moved = args[k].copy()
                moved[index] = moved[index] * 1.37 + 0.1
                changed = (*args[:k], moved, *args[k + 1 :])
                after = probe.ask(changed), probe.ask(changed, right=True)
                if after[0] is None or after[1] is None:
                    return found
                got = _differs(after[0][result], base[0][result])
                want = _differs(after[1][result], base[1][result])
                if got.shape != want.shape:
                    return found
                mixed |= _axes_mixed(got, want, axes)
                if want.any() and not (got & want).any():
                    ignored.append(index)
            if mixed:
                words = " and ".join(sorted(mixed))
                sentence = (
                    f"An entry of `{probe.names[k]}` moves entries of your result that it must "
                    f"not move: it mixes {words}."
                )
                found.append((sentence, frozenset({probe.names[k]})))
            elif ignored and len(ignored) < len(_some_entries(args[k])):
                place = ", ".join(map(str, ignored[0]))
                sentence = (
                    f"Some entries of `{probe.names[k]}` have no part in your result, "
                    f"such as the one at index ({place})."
                )
                found.append((sentence, frozenset({probe.names[k]})))
    return found


def _some_entries(array: Any) -> list[tuple[int, ...]]:
    """Return some indices of an array, spread over it."""
    every = list(np.ndindex(np.shape(array)))
    return every[:: max(1, len(every) // MOST_ENTRIES)]


def _differs(a: Array, b: Array) -> Mask:
    """Return where two answers differ by more than rounding."""
    limit = 1e-9 * max(float(np.abs(b[np.isfinite(b)]).max(initial=0.0)), 1e-12)
    if a.shape != b.shape:
        return np.ones(b.shape, bool)
    differs: Mask = ~(np.abs(a - b) <= limit)
    return differs


def _axes_mixed(got: Mask, want: Mask, axes: Sequence[str]) -> set[str]:
    """Return the names of the axes along which a change spreads further than it must."""
    extra = np.argwhere(got & ~want)
    if not extra.size or not want.any():
        return set()
    meant = np.argwhere(want)
    names = list(axes) if len(axes) == got.ndim else list(AXES.get(got.ndim, ()))
    return {
        {"t": "steps", "entry": "entries"}.get(names[a], f"{names[a]}s")
        for a in range(got.ndim)
        if a < len(names) and not set(extra[:, a].tolist()) <= set(meant[:, a].tolist())
    }
