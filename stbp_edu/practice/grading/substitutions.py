"""Whether an answer is the right formula of something else: of 2·x, of x², of y in place of x."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from stbp_edu.practice.grading.probe import Probe, all_close, close
from stbp_edu.practice.grading.relations import CHANGES, changes_of, constant_words

FACTORS = (2.0, 0.5, 3.0, 1 / 3, 4.0, 0.25)
SHIFTS = (1, -1, 2, 0.5, -0.5)
Taken = Callable[[Sequence[Any]], Any]


def substitutions(probe: Probe, result: int) -> list[tuple[str, frozenset[str]]]:
    """Return each way in which the answer is the right formula of changed inputs.

    Each is a sentence's end, after "Your function gives what the right one gives", and the inputs
    that are changed.
    """
    own = [probe.ask(inputs.args) for inputs in probe.situations]
    answers = [values[result] for values in own if values is not None]
    if len(answers) < len(own):
        return []
    found = []
    for k, name in enumerate(probe.names):
        for words, taken in _candidates(probe, k):
            changed = []
            for inputs in probe.situations:
                value = _tried(taken, inputs.args)
                args = (*inputs.args[:k], value, *inputs.args[k + 1 :])
                exact = None if value is None else _tried(lambda a: probe.ask(a, right=True), args)
                if exact is None:
                    break
                changed.append(exact[result])
            if len(changed) == len(answers) and all_close(answers, changed, probe.rtol):
                found.append((words, frozenset({name})))
                break
    return found


def folded(
    probe: Probe, solution: Callable[[Sequence[Any]], Sequence[Any] | None], result: int
) -> list[tuple[str, frozenset[str]]]:
    """Return the input that, with an axis folded away, makes the solution give the answer.

    For answers of a wrong shape; the result is as that of :func:`substitutions`.
    """
    folds = (("added up", np.sum), ("averaged", np.mean))
    found = []
    for k in probe.movable:
        ndim = np.ndim(probe.inputs[0].args[k])
        ways = [(words, f, axis) for words, f in folds for axis in (*range(ndim), None)]
        for words, fold, axis in ways if ndim else ():
            pairs = []
            for i in probe.situations:
                args = (*i.args[:k], fold(i.args[k], axis=axis), *i.args[k + 1 :])
                pairs.append((probe.ask(i.args), _tried(solution, args)))
            told = any(a and a[result].any() for a, _ in pairs)
            if told and all(a and b and close(a[result], b[result], probe.rtol) for a, b in pairs):
                over = "all its entries" if axis is None else f"its axis {axis}"
                name = probe.names[k]
                found.append((f"when `{name}` is {words} over {over}", frozenset({name})))
                break
    return found


def _tried(function: Callable[[Any], Any], argument: Any) -> Any:
    """Return what a function gives, or None where it fails."""
    try:
        with np.errstate(all="ignore"):
            return function(argument)
    except Exception:
        return None


def _candidates(probe: Probe, k: int) -> Iterator[tuple[str, Taken]]:
    """Yield what could be taken for the k-th argument, in words and as a function of them all."""
    example, name = probe.inputs[0].args[k], probe.names[k]
    single = isinstance(example, int) and not isinstance(example, bool)
    whole = single or _is_whole(example)
    if not (k in probe.movable or whole):
        return
    for shift in SHIFTS[:3] if whole else SHIFTS:
        yield f"when {shift:+g} is added to `{name}`", _of_one(k, lambda x, c: x + c, shift)
    if single:
        yield f"with twice `{name}`", _of_one(k, lambda x, c: c * x, 2)
        yield f"with `{name}` squared", _of_one(k, lambda x, c: x**c, 2)
    for j, other in enumerate(probe.names):
        if j != k and type(probe.inputs[0].args[j]) is type(example):
            yield f"with `{other}` in place of `{name}`", _of_one(j, lambda x, c: x, 0)
    if k not in probe.movable:
        return
    for factor in FACTORS:
        words = f"when `{name}` {constant_words(factor)}"
        yield words, _alike(k, _of_one(k, lambda x, c: x * c, factor))
    ndim = np.ndim(example)
    for words, change in changes_of(ndim) if ndim else CHANGES:
        yield f"when `{name}` {words}", _alike(k, _of_one(k, lambda x, f: f(x), change))
    for j in probe.movable:
        if j != k:
            words = f"`{probe.names[j]}` in place of `{name}`"
            yield f"with `{name}` times {words}", _alike(k, _of_two(j, k, np.multiply))
            yield f"with `{name}` divided by {words}", _alike(k, _of_two(j, k, np.divide))


def _of_one(k: int, change: Callable[[Any, Any], Any], constant: Any) -> Taken:
    """Return a function of the arguments that changes the k-th."""
    return lambda args: change(args[k], constant)


def _of_two(j: int, k: int, join: Callable[[Any, Any], Any]) -> Taken:
    """Return a function of the arguments that joins the k-th and the j-th."""
    return lambda args: join(args[k], args[j])


def _alike(k: int, taken: Taken) -> Taken:
    """Return the same function, with values of the kind and shape of the k-th argument."""
    return lambda args: _like(taken(args), args[k])


def _is_whole(value: Any) -> bool:
    """Return whether a value is an array of whole numbers."""
    return isinstance(value, np.ndarray) and value.dtype.kind in "iu"


def _like(value: Any, example: Any) -> Any:
    """Return a value of the same kind and shape as an argument; raise ValueError otherwise."""
    if np.shape(value) != np.shape(example):
        raise ValueError("value must have the argument's shape")
    return float(value) if isinstance(example, float) else np.array(value, dtype=float)
