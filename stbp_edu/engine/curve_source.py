"""Surrogates as source: their own formulas, called with what writes instead of computing."""

from __future__ import annotations

from typing import Any

from stbp_edu.surrogates import Curve, Surrogate


def compilable(surrogate: Surrogate) -> bool:
    """Return whether a surrogate can be written as source: a curve with its own h and H alone."""
    of = type(surrogate)
    return isinstance(surrogate, Curve) and all(
        getattr(of, name) is getattr(Curve, name) for name in ("derivative", "antiderivative")
    )


def _both(sign: str) -> Any:
    """Return the two methods that write an operation: with a number on the right, on the left."""
    return lambda a, b: _infix(a, sign, b), lambda b, a: _infix(a, sign, b)


class Source(str):
    """Text that stands for a number: what is done to it is written down."""

    __slots__ = ()

    __add__, __radd__ = _both("+")
    __sub__, __rsub__ = _both("-")
    __mul__, __rmul__ = _both("*")
    __truediv__, __rtruediv__ = _both("/")

    def __pow__(self, other: int) -> Source:
        return Source(f"({self} ** {other})")

    def __neg__(self) -> Source:
        return Source(f"(-{self})")

    def __lt__(self, other: Any) -> Source:  # type: ignore[override]
        return Source(f"(F(1) - reached({self}, {_as_source(other)}))")

    def __ge__(self, other: Any) -> Source:  # type: ignore[override]
        return Source(f"reached({self}, {_as_source(other)})")


class Writer:
    """The part of NumPy that curves use; it writes instead of computing."""

    def __getattr__(self, name: str) -> Any:
        """Return a function that writes a call of the one of this name."""
        return lambda *args: Source(f"{name}({', '.join(map(_as_source, args))})")

    @staticmethod
    def clip(v: Source, low: float | None, high: float | None) -> Source:
        """Write bounds."""
        v = v if low is None else Source(f"maximum({v}, {_as_source(low)})")
        return v if high is None else Source(f"minimum({v}, {_as_source(high)})")

    @staticmethod
    def ones_like(_: Source) -> float:
        """Return 1."""
        return 1.0


def _as_source(value: Any) -> str:
    """Return a number as source, in the dtype of the arrays."""
    return value if isinstance(value, Source) else f"F({value!r})"


def _infix(a: Any, sign: str, b: Any) -> Source:
    """Write an operation between two numbers."""
    return Source(f"({_as_source(a)} {sign} {_as_source(b)})")


def curve_source(surrogate: Any, twin: bool) -> list[str]:
    """Return h, and the spike or its twin H, as source."""
    v, writer = Source("v"), Writer()
    spike = surrogate.twin(v, writer) if twin else "reached(v, F(0))"
    return [
        "@jit",
        "def spike(v):",
        f"    return {spike}",
        "",
        "",
        "@jit",
        "def h(v):",
        f"    return {surrogate.h(v, writer)}",
        "",
        "",
    ]
