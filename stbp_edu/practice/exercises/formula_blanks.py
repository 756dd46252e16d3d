"""Derivation blanks, read from ``content/formulas.toml``: the answer is a formula."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from stbp_edu.practice.exercises.mistakes import Mistake, mistakes_of
from stbp_edu.practice.exercises.tables import CONTENT, read_table, section

SUFFIX = "-formula"


@dataclass(frozen=True)
class FormulaBlank:
    """One derivation blank.

    Attributes:
        id: what progress and hints call it: the equation's id and ``-formula``.
        equation: the equation's id.
        title: what is asked for.
        notebook: number of the notebook that derives it.
        section: the heading there.
        symbols: what may stand in the answer, with the meaning.
        relations: symbols that are made of others, each with its formula.
        answer: a right answer.
        reasoning: why it is right.
        hints: from the gentlest to the plainest.
        mistakes: wrong answers that have a name.
    """

    id: str
    equation: str
    title: str
    notebook: int
    section: str
    symbols: Mapping[str, str]
    relations: Mapping[str, str]
    answer: str
    reasoning: str
    hints: tuple[str, ...]
    mistakes: tuple[Mistake, ...]


@cache
def blanks() -> dict[str, FormulaBlank]:
    """Return every derivation blank by its equation's id."""
    return {id_: _blank(id_, table) for id_, table in read_table(CONTENT / "formulas.toml").items()}


def _blank(id_: str, table: dict[str, Any]) -> FormulaBlank:
    """Return the blank that a table describes."""
    return FormulaBlank(
        id=id_ + SUFFIX,
        equation=id_,
        section=section(id_),
        relations=table.get("relations", {}),
        hints=tuple(table["hints"]),
        mistakes=mistakes_of(table["mistakes"], table.get("notes", {}), table["answer"]),
        **{k: table[k] for k in ("title", "notebook", "symbols", "answer", "reasoning")},
    )
