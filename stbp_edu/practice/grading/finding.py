"""One thing that is found out about a wrong answer."""

import ast
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Finding:
    """One thing that is found out about a wrong answer that has no name.

    Attributes:
        text: the sentence for the reader.
        kind: how it was found: ``"factor"``, ``"change"``, ``"result"``, ``"part"``, ``"term"``,
            ``"input"``, ``"mixing"``, ``"where"``, ``"scaling"``, ``"depends"`` or
            ``"step"``.
        names: the inputs that it concerns.
        nodes: the parts of the right answer that it blames.
    """

    text: str
    kind: str
    names: frozenset[str] = frozenset()
    nodes: tuple[ast.AST, ...] = field(default=(), repr=False, compare=False)


def listed(names: Sequence[str]) -> str:
    """Return names in a row, with "and" before the last."""
    quoted = [f"`{name}`" for name in names]
    return " and ".join([", ".join(quoted[:-1])] * (len(quoted) > 1) + quoted[-1:])


def together(names: Sequence[str]) -> str:
    """Return a term by the inputs that make it."""
    if not names:
        return "no input at all (a constant)"
    return f"{listed(names)} {'together' if len(names) > 1 else 'alone'}"
