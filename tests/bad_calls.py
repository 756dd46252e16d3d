"""Bad calls: a good call of a public function with one thing in it made wrong.

``good_calls`` takes public functions and a good value for each name of an argument; a test asserts
that ``fault(ACCEPTED)`` is empty for each of ``call.spoiled()``, or for some that it draws.

What is made wrong is an argument, or a part of one: an entry of a list or dictionary, a field of a
dataclass. It becomes something of another kind altogether, or a damaged copy of the right value: a
list for an array, an axis too many, a NaN, a mask. The call has to end in a TypeError or ValueError
that the package itself raises, and that names what is wrong and, of numbers that are not finite,
says so; one that Python or NumPy raises inside is raw. Where a wrong value is none, ``accepted``
says so, by function, last name of the place, and kind, as in ``{("forward", "spike"): {"None"}}``.
"""

import dataclasses
import inspect
import math
import traceback
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import stbp_edu

PACKAGE = str(Path(stbp_edu.__file__).parent)
Accepted = Mapping[tuple[str, str], Iterable[str]]
"""Kinds of wrong values by function or "*", and the name of what is wrong; "*" for every kind."""
NO_MISTAKE = ("half floats", "a list of it", "one entry more", "an empty word")
"""Kinds that may be taken wherever they are: numbers and texts of another size or form."""


@dataclass(frozen=True)
class Call:
    """A call with arguments by name, and which part of them is wrong in which way.

    ``place`` is an argument's name, and keys and fields below it; ``kind`` a key of :func:`wrong`;
    of a good call both are empty.
    """

    name: str
    function: Callable[..., Any]
    arguments: Mapping[str, Any]
    place: tuple[Any, ...] = ()
    kind: str = ""
    made: Callable[[], Any] = dict

    def __repr__(self):
        return f"{self.name}({'.'.join(map(str, self.place))} = {self.kind})"

    def spoiled(self, whole=()):
        """Return this call with each thing wrong; not inside what is an instance of whole."""
        return [
            dataclasses.replace(self, place=place, kind=kind, made=made)
            for name, good in self.arguments.items()
            if name != "self"
            for place, kind, made in spoiled(good, (name,), whole)
        ]

    def is_named(self, said):
        """Return whether an error names what is wrong here, or the line of a text."""
        names = [key.rstrip("s") for key in self.place if isinstance(key, str)]
        if self.kind in ("a NaN in it", "an infinity in it"):
            return "finite" in said or "label" in names[-1]
        kinds = (*NO_MISTAKE, "words in it", "a dict")  # which have names of their own
        return self.kind in kinds or any(name in said for name in [*names, "line 1:"])

    def fault(self, accepted):
        """Return what is wrong with how the call ends, or ""."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                warnings.filterwarnings(
                    "ignore", "tau = .* is the share"
                )  # a decay of 1
                wrong = {self.place[0]: self.made()}
                result = self.function(**{**self.arguments, **wrong})
                if inspect.isgenerator(result):
                    list(result)
        except (TypeError, ValueError, FileNotFoundError) as error:
            frame = traceback.extract_tb(error.__traceback__)[-1]
            own = frame.filename.startswith(PACKAGE) and "raise" in (frame.line or "")
            said = f"{type(error).__name__}: {str(error)[:150]}"
            if not own:
                return f"{self}: raw {said}"
            return "" if self.is_named(str(error)) else f"{self}: not named in {said}"
        except Exception as error:
            return f"{self}: raw {type(error).__name__}: {str(error)[:150]}"
        place = [key for key in self.place if isinstance(key, str)][-1]
        fine = {*NO_MISTAKE}
        for name in (self.name, "*"):
            fine.update(accepted.get((name, place), ()))
        return "" if fine & {self.kind, "*"} else f"{self}: accepted"


def good_calls(
    functions,
    by_name,
    own,
):
    """Return a good call for each function, with a good value for each argument it can take.

    Args:
        functions: functions, methods and classes.
        by_name: a good value for each name of an argument.
        own: by a function's name, values for it alone.
    """
    calls = []
    for function in functions:
        name = getattr(function, "__qualname__", repr(function))
        parameters = inspect.signature(function).parameters.values()
        values = {**by_name, **own.get(name, {})}
        names = [p.name for p in parameters if p.kind is not p.VAR_KEYWORD]
        calls.append(Call(name, function, {one: values[one] for one in names}))
    return calls


def spoiled(good, place, whole):
    """Yield where a value is made wrong, how, and what makes the value with this in it."""
    for kind, bad in wrong(good).items():
        yield place, kind, partial(_same, bad)
    if not isinstance(good, whole):
        for key, part in parts(good).items():
            for inside, kind, made in spoiled(part, (*place, key), whole):
                yield inside, kind, partial(_replaced, good, key, made)


def _same(value):
    return value


def parts(value):
    """Return what a value is made of, by key."""
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, list | tuple):
        return dict(enumerate(value))
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {
            f.name: getattr(value, f.name) for f in dataclasses.fields(value) if f.init
        }
    return {}


def _replaced(value, key, made):
    """Return a value with another part, which is made now."""
    if isinstance(value, Mapping):
        return {**value, key: made()}
    if isinstance(value, list | tuple):
        return type(value)([*value[:key], made(), *value[key + 1 :]])
    return dataclasses.replace(value, **{key: made()})


def wrong(good):
    """Return wrong values in place of a good one, by kind."""
    found = {
        "None": None, "an object": object(), "a word": "no such word", "a dict": {"a": 1},
        "a function": lambda *_: None, "a complex number": 1j, "a NaN": math.nan,
        "infinity": math.inf, "a fraction": 0.3, "a huge integer": 10**400, "below zero": -3,
        "zero": 0, "an empty list": [], "a list": [[1.0], [2.0]], "an empty array": np.empty((0,)),
        "an array of words": np.array(["x"]), "five axes": np.zeros((1, 1, 1, 1, 1)),
    }  # fmt: skip
    if isinstance(good, float):
        del found["a fraction"]
    if good is None or isinstance(good, int | float):
        found = {
            k: v for k, v in found.items() if type(v) is not type(good) or v != good
        }
    if isinstance(good, np.ndarray):
        spoiled = good.astype(float)
        spoiled.flat[0] = math.nan
        found |= {
            "one axis more": good[None], "objects": good.astype(object),
            "one entry more": np.concatenate([good, good[:1]]) if good.ndim else good[None],
            "complex": good.astype(complex), "half floats": good.astype(np.float16),
            "masked": np.ma.masked_array(good, mask=True), "words": good.astype(str),
            "a NaN in it": spoiled,
            "an infinity in it": np.where(np.isnan(spoiled), -math.inf, spoiled),
        }  # fmt: skip
        if good.ndim:
            found |= {"a list of it": good.tolist(), "one axis less": good[0]}
            found["no entries"] = good[..., :0]
    if isinstance(good, list | tuple):
        found |= {"None in it": [*good, None], "an iterator": iter(good)}
        found["words in it"] = ["x" for _ in good]
    if isinstance(good, list | tuple) and good:
        found["one entry less"] = good[:-1]
    if isinstance(good, Mapping) and good:
        found["one entry less"] = dict(list(good.items())[:-1])
        found["an odd entry"] = {**good, 3: None}
    if isinstance(good, str):
        found["an empty word"] = ""
    if isinstance(good, bool):
        found["a word"] = "False"
    return found


def equal(a, b):
    """Return whether two results are the same."""
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and np.array_equal(a, b)
    if isinstance(a, dict):
        return equal(list(a.items()), list(b.items()))
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(equal, a, b))
    if dataclasses.is_dataclass(a):
        return type(a) is type(b) and all(
            map(equal, vars(a).values(), vars(b).values())
        )
    return bool(a == b)
