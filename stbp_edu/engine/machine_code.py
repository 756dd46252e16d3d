"""Sources as machine code, which Numba makes and keeps on the disk; or as Python runs them."""

from __future__ import annotations

import hashlib
import importlib.metadata
import inspect
import math
import os
import sys
import types
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from stbp_edu.engine import loops

KERNELS = (
    "spikes_in", "add_rows", "add_scaled_rows", "weigh", "correlate", "census", "adam",
)  # fmt: skip
"""The functions of :mod:`stbp_edu.engine.loops` that are compiled, each after those it calls."""


@cache
def compiled(source: str, dtype: np.dtype[Any]) -> dict[str, Any]:
    """Return the functions of a source, compiled for a dtype when they are called first.

    Where the user's cache can be written to, what is compiled is kept there for other processes:
    the file's name tells all that it was made from.
    """
    from stbp_edu._support.files import (
        write_whole,  # with what no other user of the engine needs
    )

    space = dict(_functions(dtype))
    made_of = (source, dtype.name, *_versions())
    name = hashlib.sha256(repr(made_of).encode()).hexdigest()[:20]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser())
    path = cache / "stbp_edu" / f"loops_{name}.py"
    try:
        if not path.exists():
            write_whole(path, lambda file: file.write(source.encode()))
        space["jit"] = _kept
    except OSError:
        pass
    exec(compile(source, str(path), "exec"), space)
    return space


@cache
def interpreted(source: str, dtype: np.dtype[Any]) -> dict[str, Any]:
    """Return the functions of a source as Python runs them: slow, and ready at once."""
    space = _functions_with(dtype, lambda function: function)
    space.update({name: getattr(np, name) for name in ("exp", "log", "tanh", "sqrt")})
    exec(compile(source, "<loops>", "exec"), space)
    return space


@cache
def _versions() -> tuple[str, ...]:
    """Return all that compiled code depends on beside the source of its loops."""
    own = (inspect.getsource(of) for of in (loops, sys.modules[__name__]))
    versions = (importlib.metadata.version(of) for of in ("numba", "llvmlite"))
    package = sys.modules["stbp_edu"].__version__
    return (*own, *versions, sys.version, package)


@cache
def kernel(name: str) -> Callable[..., Any]:
    """Return a function of :mod:`stbp_edu.engine.loops`, compiled when it is called first."""
    function: Callable[..., Any] = _functions(np.dtype(np.float32))[name]
    return function


def _jit(**more: Any) -> Any:
    """Return the compiler's decorator; without fastmath each operation is done as in NumPy."""
    return importlib.import_module("numba").njit(
        nogil=True, error_model="numpy", **more
    )


def _kept(function: Callable[..., Any]) -> Any:
    """Return a function that is compiled once, and kept on the disk for other processes.

    A file there that cannot be read, since it is cut, is made again.
    """
    found = _jit(cache=True)(function)
    cache = found._cache
    load = cache.load_overload

    def load_or_forget(*asked: Any) -> Any:
        """Return the kept machine code, or None: then it is compiled."""
        try:
            return load(*asked)
        except Exception:  # what a cut file raises is up to pickle
            cache.flush()
            return None

    cache.load_overload = load_or_forget
    return found


@cache
def _functions(dtype: np.dtype[Any]) -> dict[str, Any]:
    """Return the functions that a source may call, compiled."""
    space = _functions_with(dtype, _jit(), _kept)
    if dtype == np.float32:
        space["exp"] = _jit()(loops.quick_exp)
    return space


def _functions_with(dtype: np.dtype[Any], jit: Any, kept: Any = None) -> dict[str, Any]:
    """Return the functions that a source may call, by what compiles one, and one that is kept."""
    space: dict[str, Any] = {"np": np, "_F": dtype.type, "jit": jit}
    space |= {
        name: getattr(math, name) for name in ("exp", "log", "tanh", "sqrt", "erf")
    }
    space["at_least"] = jit(lambda a, b: dtype.type(1) if a >= b else dtype.type(0))
    space["minimum"] = jit(lambda a, b: a if b >= a else b)
    space["maximum"] = jit(lambda a, b: a if a >= b else b)
    space["where"] = jit(lambda reached, a, b: a if reached > 0 else b)
    floor = dtype.type(loops.FLOOR if dtype == np.float32 else 0)
    space["settled"] = jit(lambda d: (d + floor) - floor)
    # what is kept on the disk is read back into this module
    own: dict[str, Any] = {"np": np, "__name__": loops.__name__}
    own |= {"NEAR": loops.NEAR, "BLOCK": loops.BLOCK}
    space["__name__"] = loops.__name__
    for name in KERNELS:
        function = getattr(loops, name)
        # a copy, which calls the compiled ones
        copy = types.FunctionType(function.__code__, own, name)
        space[name] = own[name] = (kept or jit)(copy)
    return space
