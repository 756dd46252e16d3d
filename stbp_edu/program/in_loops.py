"""The neurons of a layer, all steps of all samples, in compiled loops.

:class:`InLoops` has the methods of :class:`stbp_edu.program.executor.OnArrays`, and checks nothing
of what it is given. Series are (T, S, m) by name. The text of its loops becomes machine code, which
Numba makes and keeps on the disk; :class:`ByPython` has Python run it.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import inspect
import logging
import math
import os
import sys
import types
from collections.abc import Callable, Sequence
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np

from stbp_edu._support.checks import Array
from stbp_edu.arrows.layer_program import LayerProgram
from stbp_edu.lines.operations import SHARED
from stbp_edu.program import loops
from stbp_edu.program.executor import FLOOR, Series
from stbp_edu.program.loop_text import text_of
from stbp_edu.program.machine import run_in_parts

BLOCK = 1024
"""Entries of a step in a block of the loops, few enough for the cache of a core."""
WORK = 4.0
"""About how many operations a neuron takes in a step."""
LOG = logging.getLogger("stbp_edu")
COMPILING = "compiling the loops of a layer takes some seconds"
KERNELS = (
    "spikes_in",
    "add_rows",
    "add_products",
    "note_spikes",
    "currents",
    "gradient",
    "adam",
    "cut",
    "put_back",
)
"""The functions of :mod:`stbp_edu.program.loops` that are compiled, each after those it calls."""


def installed() -> bool:
    """Return whether Numba is there."""
    return importlib.util.find_spec("numba") is not None


@cache
def compiled(text: str, dtype: np.dtype[Any]) -> dict[str, Any]:
    """Return the functions of a text, compiled for a dtype when they are called first.

    Where the user's cache can be written to, what is compiled is kept there for other processes:
    the file's name tells all that it was made from.
    """
    # with what no other user of this room needs
    from stbp_edu._support.files import write_whole

    space = dict(_functions(dtype))
    made_of = (text, dtype.name, *_versions())
    digest = hashlib.sha256(repr(made_of).encode())
    name = f"loops_{digest.hexdigest()[:20]}.py"
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser())
    path = cache / "stbp_edu" / name
    try:
        if not path.exists():
            write_whole(path, lambda file: file.write(text.encode()))
            LOG.info("%s; they are kept in %s", COMPILING, path.parent)
        space["jit"] = _kept
    except OSError:
        LOG.info("%s, since %s cannot be written to", COMPILING, path.parent)
    exec(compile(text, str(path), "exec"), space)
    return space


@cache
def interpreted(text: str, dtype: np.dtype[Any]) -> dict[str, Any]:
    """Return the functions of a text as Python runs them: slow, and ready at once."""
    space = _shared(dtype, jit=lambda function: function)
    space |= {name: getattr(np, name) for name in SHARED}
    space |= {name: getattr(loops, name) for name in KERNELS}
    exec(compile(text, "<loops>", "exec"), space)
    return space


@cache
def _versions() -> tuple[str, ...]:
    """Return all that compiled code depends on beside the text of its loops."""
    return (
        inspect.getsource(loops),
        inspect.getsource(sys.modules[__name__]),
        importlib.metadata.version("numba"),
        sys.version,
        sys.modules["stbp_edu"].__version__,
    )


@cache
def kernel(name: str) -> Callable[..., Any]:
    """Return a function of :mod:`stbp_edu.program.loops`, compiled when it is called first."""
    function: Callable[..., Any] = _functions(np.dtype(np.float32))[name]
    return function


def _jit(**more: Any) -> Any:
    """Return the compiler's decorator; without fastmath each operation is done as in NumPy."""
    numba = importlib.import_module("numba")
    return numba.njit(nogil=True, error_model="numpy", **more)


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
    """Return the functions that a text may call, compiled."""
    space = _shared(dtype, _jit())
    if dtype == np.float32:
        space["exp"] = _jit()(loops.quick_exp)
    own = {"np": np, "NEAR": loops.NEAR, "__name__": loops.__name__}
    for name in KERNELS:
        code = getattr(loops, name).__code__
        own[name] = _kept(types.FunctionType(code, own, name))  # calls compiled ones
    return space | own


def _shared(dtype: np.dtype[Any], jit: Any) -> dict[str, Any]:
    """Return the small functions that a text may call, by what compiles one."""
    F = dtype.type
    floor = F(FLOOR if dtype == np.float32 else 0)
    return {
        "np": np,
        "_F": F,
        "jit": jit,
        **{name: getattr(math, name, getattr(np, name)) for name in SHARED},
        "erf": math.erf,
        "at_least": jit(lambda a, b: F(1) if a >= b else F(0)),
        "minimum": jit(lambda a, b: a if b >= a else b),
        "maximum": jit(lambda a, b: a if a >= b else b),
        "where": jit(lambda reached, a, b: a if reached > 0 else b),
        "settled": jit(lambda d: (d + floor) - floor),
        "__name__": loops.__name__,  # into which what is kept on the disk is read back
    }


class InLoops:
    """The neurons of a layer in compiled loops."""

    made = staticmethod(compiled)

    def __init__(self, program: LayerProgram, wanted: tuple[str, ...]) -> None:
        self.program = program
        self.wanted = wanted

    @cached_property
    def text(self) -> str:
        """The text of the loops."""
        return text_of(self.program, self.wanted)

    def fill_states(
        self, x: Array, states: Series, constants: Sequence[Any], R: Any = None
    ) -> None:
        """Fill the states of all steps; x is in the memory of the first."""
        self._run("all_forward", x, states, constants, R, [])

    def fill_adjoints(
        self,
        states: Series,
        signals: Series,
        found: Series,
        constants: Sequence[Any],
        R: Any = None,
    ) -> dict[str, Any]:
        """Fill the adjoints of all steps; return gradients of b and learned constants, (S, m).

        The first signal is in the memory of the first adjoint.
        """
        some = found[self.wanted[0]]
        sums = {name: np.zeros_like(some[0]) for name in ("b", *self.program.gradients)}
        others = [*signals.values()][1:]
        more = [rows(one) for one in (*others, *found.values())]
        more += [g.reshape(-1) for g in sums.values()]
        self._run("all_backward", some, states, constants, R, more)
        return sums

    def _run(
        self,
        name: str,
        like: Array,
        states: Series,
        constants: Sequence[Any],
        R: Any,
        more: list[Any],
    ) -> None:
        """Run one of the loops, some blocks in each thread."""
        _, S, m = like.shape
        width, given = BLOCK, []
        if R is not None:
            width, given = m, [np.ascontiguousarray(R)]
        for one in constants:
            value = np.asarray(one, like.dtype)
            given.append(np.tile(value.reshape(-1), S) if value.ndim else value[()])
        for state in self.program.neuron.order:
            given.append(rows(np.ascontiguousarray(states[state])))
        loop = self.made(self.text, like.dtype)[name]
        blocks = math.ceil(S * m / width)
        run_in_parts(loop, blocks, WORK * like.size, width, *given, *more)


class ByPython(InLoops):
    """The same loops as Python runs them: slowly, as a check of what they say."""

    made = staticmethod(interpreted)


def rows(series: Array) -> Array:
    """Return (T, S, m) as (T, S · m)."""
    return series.reshape(len(series), -1)
