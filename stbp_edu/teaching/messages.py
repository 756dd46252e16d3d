"""The messages between the judge and the process that an answer runs in: lines of JSON.

Both ends read them here, so this file imports NumPy and
:mod:`stbp_edu.practice.grading.calling` only. A message from the process is data that its author
may have forged: whatever it holds, it becomes plain data or a ValueError.
"""

import base64
import binascii
import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import IO, Any

import numpy as np

from stbp_edu.practice.grading.calling import Fields, Unreadable

LARGEST = 32 * 2**20
"""Bytes in a message; an answer has no more than a million numbers."""
ROWS = {"tuple": tuple, "list": list, "set": frozenset}
"""Rows of values, by their names in a message."""
NUMBERS = "bfiuc"
"""The kinds of NumPy's types that are numbers."""


def write_message(pipe: IO[bytes], message: object) -> None:
    """Write a message."""
    pipe.write(json.dumps(message).encode() + b"\n")
    pipe.flush()


def read_message(pipe: IO[bytes]) -> Any:
    """Return the next message.

    Raises:
        EOFError: if there is none, or it is too long.
        ValueError: if it is not JSON.
    """
    line = pipe.readline(LARGEST)
    if not line.endswith(b"\n"):
        raise EOFError("the message is cut short or too long")
    return json.loads(line)


def pack(value: Any, pack_other: Callable[[Any], Any] | None = None) -> Any:
    """Return a value as JSON; ``pack_other`` packs what is not plain data.

    >>> pack(("a", None))
    ['tuple', [['plain', 'a'], ['plain', None]]]
    """
    if value is None or isinstance(value, (bool, int, float, str)):
        return ["plain", value]
    for kind, row in ROWS.items():
        if isinstance(value, row):
            parts = [pack(part, pack_other) for part in value]
            return [kind, parts]
    if isinstance(value, (np.ndarray, np.generic)):
        data = base64.b64encode(value.tobytes()).decode()
        return ["array", value.dtype.str, value.shape, data]
    if isinstance(value, Unreadable):
        return ["unreadable", value.words]
    if isinstance(value, Fields):
        fields = {name: pack(part) for name, part in value.values.items()}
        return ["fields", value.kind, fields]
    if pack_other is None:
        raise TypeError(f"a message cannot hold {type(value).__name__}")
    return pack_other(value)


def unpack(packed: Any, unpack_other: Callable[[Any], Any] | None = None) -> Any:
    """Return the value that :func:`pack` has packed.

    Raises:
        ValueError: if it is not such a value.
    """
    try:
        match packed:
            case ["plain", None | bool() | int() | float() | str() as value]:
                return value
            case ["tuple" | "list" | "set" as kind, list(parts)]:
                values = [unpack(part, unpack_other) for part in parts]
                return ROWS[kind](values)
            case ["array", str(dtype), list(shape), str(data)]:
                return _array(dtype, shape, data)
            case ["unreadable", str(words)]:
                return Unreadable(words[:300])
            case ["fields", str(kind), dict(parts)]:
                fields = {name: unpack(part) for name, part in parts.items()}
                return Fields(kind[:80], fields)
    except (TypeError, LookupError, RecursionError, binascii.Error) as error:
        raise ValueError(f"a message that cannot be read ({error})") from error
    if unpack_other is None:
        raise ValueError(f"a message of no known kind ({str(packed)[:40]})")
    return unpack_other(packed)


def _array(dtype: str, shape: list[Any], data: str) -> np.ndarray[Any, Any]:
    """Return an array of numbers."""
    if np.dtype(dtype).kind not in NUMBERS:
        raise ValueError(f"an array of no numbers ({dtype[:40]})")
    numbers = np.frombuffer(base64.b64decode(data), dtype)
    return numbers.reshape(shape).copy()


def unpack_argument(ask: Callable[[int, Any], Any]) -> Callable[[Any], Any]:
    """Return a function that unpacks an argument that is not plain data.

    ``ask(k, args)`` calls the judge's k-th function.
    """

    def unpack_other(packed: Any) -> Any:
        kind, content = packed
        if kind == "object":
            parts = {n: unpack(part, unpack_other) for n, part in content.items()}
            return SimpleNamespace(**parts)
        if kind == "function":
            return lambda *args: ask(content, args)
        generator = np.random.default_rng(0)
        generator.bit_generator.state = content
        return generator

    return unpack_other
