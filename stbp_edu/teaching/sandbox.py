"""Call one student's function in a process that can do little else, and send back what it returns.

``judge`` starts this file by its path, with NumPy alone: neither the solutions nor what is right
are anywhere in the process. It reads a message with the source, then one for each call, and
answers with plain values; the judge compares these with what is right. So a forged message, a
patched function or a printed "right" is one more wrong value.

What the system allows is closed before the first line of the source runs: memory, time, files and
processes by limits, the network by a namespace of its own, and, for root, another user. Python's
audit hook, which cannot be taken out again, refuses the rest: other processes, files that are not
Python's own, and this package.
"""

import ast
import base64
import contextlib
import json
import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from types import SimpleNamespace
from typing import IO, Any

import numpy as np

LARGEST = 32 * 2**20
"""Bytes in a message; an answer has no more than a million numbers."""
FOREIGN = (
    "stbp_edu", "ctypes", "_ctypes", "cffi", "subprocess", "_posixsubprocess", "socket", "_socket",
    "signal", "_signal", "resource", "gc", "multiprocessing", "_multiprocessing", "_posixshmem",
)  # fmt: skip
"""Modules that an answer may not import."""
IMPORTED = (
    "array", "bisect", "cmath", "collections", "copy", "dataclasses", "decimal", "fractions",
    "functools", "heapq", "itertools", "math", "numbers", "numpy.fft", "numpy.polynomial",
    "numpy.random", "operator", "pprint", "random", "re", "statistics", "string", "time",
    "typing", "warnings",
)  # fmt: skip
"""Modules that an answer may use even where nobody else may read Python's own files."""
ROWS = {"tuple": tuple, "list": list, "set": frozenset}
"""Rows of values, by their names in a message."""
REFUSED = (
    "os.", "socket.", "subprocess.", "shutil.", "tempfile.", "ctypes.", "pty.", "mmap.", "signal.",
    "sqlite3.", "urllib.", "http.", "ftplib.", "smtplib.", "webbrowser.", "fcntl.", "syslog.",
    "_thread.", "glob.", "pathlib.", "gc.",
)  # fmt: skip
"""Beginnings of the audit events that are refused."""
HOOK = """
def hook(event, args):
    text = "".__class__
    if event == "import":
        name = text.lower(args[0])
        if text.partition(name, ".")[0] in {foreign}:
            {{}}["an answer may not import " + name]
    elif event in ("open", "os.listdir", "os.scandir"):
        inside = text.startswith(args[0], {readable}) and not text.startswith(args[0], {hidden})
        written = event == "open" and args[2] & {writing}
        if not inside or written or text.__contains__(args[0], ".."):
            {{}}["an answer may not read or write files"]
    elif event.startswith({refused}):
        {{}}["an answer may not use " + event]
"""
"""The audit hook: it reads Python's own files, and does nothing else.

It looks up no name that an answer could put something else for: all that it needs are constants
and the methods of text, also where a name is a text that lies; what it raises is a KeyError.
"""


def write_message(pipe: IO[bytes], message: object) -> None:
    """Write a message: a line of JSON."""
    pipe.write(json.dumps(message).encode() + b"\n")
    pipe.flush()


def read_message(pipe: IO[bytes]) -> Any:
    """Return the next message.

    Raises:
        EOFError: if there is none, or it is too long.
        ValueError: if it is no JSON.
    """
    line = pipe.readline(LARGEST)
    if not line.endswith(b"\n"):
        raise EOFError("the message is cut short or too long")
    return json.loads(line)


def pack(value: Any, other: Callable[[Any], Any] | None = None) -> Any:
    """Return a value as plain JSON: numbers, arrays and rows of them; of others, what they are."""
    value = (
        None
        if value is Ellipsis
        else frozenset(value)
        if isinstance(value, set)
        else value
    )
    if value is None or isinstance(value, (bool, int, float, str)):
        large = (
            isinstance(value, int) and abs(value) > sys.float_info.max
        )  # no JSON either
        return ["kind", "int"] if large else ["plain", value]
    for kind, row in ROWS.items():
        if isinstance(value, row):
            return [kind, [pack(part, other) for part in value]]
    if isinstance(value, (np.ndarray, np.generic)) and not isinstance(
        value, np.ma.MaskedArray
    ):
        array = np.asarray(value)
        if array.dtype.kind in "biufc":
            data = base64.b64encode(array.tobytes()).decode()
            return ["array", array.dtype.str, array.shape, data]
        return pack(array.tolist(), other)
    for names in (("W", "b"), ("U", "O")):
        if other is None and all(hasattr(value, name) for name in names):
            return ["named", {name: pack(getattr(value, name)) for name in names}]
    return other(value) if other else ["kind", type(value).__name__[:80]]


def unpack(packed: Any, function: Callable[[int], Any] | None = None) -> Any:
    """Return the value that :func:`pack` has packed; ValueError where it is none."""
    try:
        match packed:
            case ["plain", None | bool() | int() | float() | str() as value]:
                return value
            case ["tuple" | "list" | "set" as kind, list(parts)]:
                return ROWS[kind](unpack(part, function) for part in parts)
            case ["array", str(dtype), list(shape), data] if (
                np.dtype(dtype).kind in "biufc"
            ):
                return (
                    np.frombuffer(base64.b64decode(data), dtype).reshape(shape).copy()
                )
            case ["named", dict(parts)]:
                return SimpleNamespace(
                    **{n: unpack(p, function) for n, p in parts.items()}
                )
            case ["kind", str(name)]:
                return type(name, (), {})()
            case ["function", int(k)] if function:
                return function(k)
            case ["generator", dict(state)] if function:  # from the judge alone
                generator = np.random.default_rng(0)
                generator.bit_generator.state = state
                return generator
    except (
        TypeError,
        ValueError,
        LookupError,
        AttributeError,
        RecursionError,
    ) as error:
        raise ValueError(f"a message that cannot be read ({error})") from error
    raise ValueError(f"a message of no known kind ({str(packed)[:40]})")


def close_doors(memory: int, seconds: int) -> None:
    """Leave the network, set the limits that the system has, and be nobody if we are root."""
    import resource  # not on Windows, where there is no judge either

    alone = (
        0x40000000 | 0x08000000
    )  # CLONE_NEWNET, CLONE_NEWIPC: no network, no shared memory
    with contextlib.suppress(Exception):  # Linux alone has it
        import ctypes

        unshare = ctypes.CDLL(None).unshare
        if unshare(alone):
            unshare(alone | 0x10000000)  # with CLONE_NEWUSER, for all who are not root
    nothing = {f"RLIMIT_{name}": 0 for name in ("FSIZE", "CORE", "NPROC")}
    limits = {
        "RLIMIT_AS": memory,
        "RLIMIT_CPU": seconds,
        "RLIMIT_NOFILE": 64,
        **nothing,
    }
    for name, limit in limits.items():
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(getattr(resource, name), (limit, limit))
    if os.geteuid() == 0:
        with contextlib.suppress(OSError):
            nobody = 61000 + os.getpid() % 4000  # no user that owns a file
            os.setgroups([])
            os.setgid(nobody)
            os.setuid(nobody)


def refuse(readable: Sequence[str], hidden: str) -> None:
    """Add the audit hook, which no answer can take out again."""
    writing = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
    known = {
        "foreign": FOREIGN,
        "refused": REFUSED,
        "readable": tuple(readable),
        "hidden": hidden,
    }
    space: dict[str, Any] = {}
    exec(HOOK.format(writing=writing, **{k: repr(v) for k, v in known.items()}), space)
    sys.addaudithook(space["hook"])


def serve(requests: IO[bytes], replies: IO[bytes]) -> None:
    """Define the function, and call it for each message until there are no more.

    A formula is no function: a message without arguments asks for what its name stands for.
    """

    def stub(k: int) -> Callable[..., Any]:
        def ask(*args: Any) -> Any:
            write_message(replies, ["ask", k, pack(args)])
            kind, value = read_message(requests)
            if kind == "problem":
                raise ValueError(value)
            return unpack(value, stub)

        return ask

    write_message(replies, ["ready"])
    source, name = read_message(requests)
    space: dict[str, Any] = {"__name__": "answer", "np": np}
    problem = run(source, space)
    function: Any = space.get(name)
    if problem and (name not in space or "an answer may not" in problem[1]):
        write_message(replies, ["problem", *problem])
    else:
        write_message(replies, ["defined"])
    while True:
        args = unpack(read_message(requests), stub)
        try:
            with np.errstate(all="ignore"):
                reply = ["value", pack(function(*args) if args else function)]
        except BaseException as error:
            reply = ["problem", *describe(error)]
        write_message(replies, reply)


def run(source: str, space: dict[str, Any]) -> tuple[str, str] | None:
    """Run each statement, and return what the first that failed raised, or None.

    One that fails may be of no use to the answer. NumPy has names that ``*`` may not import.
    """
    problem = None
    for statement in ast.parse(source).body:
        try:
            if isinstance(statement, ast.ImportFrom) and statement.names[0].name == "*":
                names = vars(import_module(statement.module or ""))
                space.update(
                    {n: names[n] for n in names.get("__all__", names) if n in names}
                )
            else:
                exec(compile(ast.Module([statement], []), "<answer>", "exec"), space)
        except BaseException as error:
            problem = problem or describe(error)
    return problem


def describe(error: BaseException) -> tuple[str, str]:
    """Return the kind of an exception and what it says."""
    try:
        text = str(error)[:300]
    except BaseException:
        text = ""
    if isinstance(error, NameError) and getattr(error, "name", None):
        return "NameError", str(error.name)
    return type(error).__name__, text


def main() -> None:
    """Close the doors, and serve."""
    requests, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):  # what an answer reads or prints
        os.dup2(nothing, stream)
    for name in IMPORTED:
        import_module(name)
    memory, seconds, package = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    places = {*sys.path, sys.prefix, sys.base_prefix, sys.exec_prefix}
    close_doors(memory, seconds)
    for name in FOREIGN:
        sys.modules.pop(name, None)
    refuse([place + end for place in places if place for end in (os.sep, "")], package)
    with contextlib.suppress(EOFError, BrokenPipeError, ValueError):
        serve(requests, replies)


if __name__ == "__main__":
    main()
