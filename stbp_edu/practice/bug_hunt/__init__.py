"""The bug hunt: read a backward pass that has one bug, and name its case, term and symptom.

- ``changes.toml``: a right backward pass, the five cases in one, and what is changed in it;
- ``bugs``: the programs with one change each, and on which networks each shows, measured.

Here is what the reader sees: a program with one bug, and what is right of an answer.
"""

from dataclasses import dataclass
from html import escape
from typing import Any

from stbp_edu import checks
from stbp_edu.practice import saved_progress
from stbp_edu.practice.bug_hunt.bugs import SYMPTOMS, Bug, Wrong, bugs, evidence, first_wrong
from stbp_edu.practice.feedback import Feedback

__all__ = ["Hunt", "hunt"]
CASES = "1 to 5, and 0 for the loops and the choice of the case"
TERMS = ("direct", "weight", "reset", "spike", "carry", "W", "b", "loop")


@dataclass(frozen=True, repr=False)
class Hunt(Feedback):
    """One program with a bug, and what is said about the answer; ``program`` is its source.

    Its ``items`` are what is right of the answer, and on which networks the program fails.
    """

    program: str = ""

    @property
    def numbered(self) -> str:
        """The program with the numbers of its lines."""
        lines = enumerate(self.program.splitlines(), start=1)
        return "\n".join(f"{k:2}  {line}" for k, line in lines)

    def __repr__(self) -> str:
        """Return the text form: the program, then what is said."""
        return f"{self.numbered}\n\n{super().__repr__()}"

    def _repr_html_(self) -> str:
        """Return the HTML form; the page keeps the state, as it does of an exercise."""
        return f"<pre><code>{escape(self.numbered)}</code></pre>{super()._repr_html_()}"


def hunt(
    k: int, *, case: int | None = None, term: str | None = None, symptom: str | None = None
) -> Hunt:
    """Show a backward pass that has one bug; with an answer, say what is right of it.

    Args:
        k: number of the program, from 1 to the number of bugs.
        case: the case with the bug, 1 to 5; 0 for the loops and the choice of the case.
        term: the term that is wrong, by its arrow: ``"direct"``, ``"weight"`` or ``"reset"`` in
            δ; ``"spike"`` or ``"carry"`` in ε; ``"W"`` or ``"b"`` in case 5; ``"loop"`` in case 0.
        symptom: how it shows, a name of ``SYMPTOMS``; any that holds is right.

    Raises:
        TypeError, ValueError: if there is no such program, case, term or symptom.

    >>> hunt(1).state
    'todo'
    >>> print(hunt(1).program.splitlines()[10].strip())
    delta[n][t] = -(Y - O[N].mean(axis=0)) / (T * S)
    """
    k = checks.count("k", k, at_most=len(bugs()))
    bug, asked = bugs()[k - 1], _asked(case, term, symptom)
    name = f"hunt({k})"
    if not asked:
        return Hunt(name, "todo", _question(k), program=bug.source)
    holds = evidence(bug).symptoms
    right = {"case": case == bug.case, "term": term == bug.term, "symptom": symptom in holds}
    state = "right" if all(right.values()) else "wrong"
    said = [f"{what} {given}: {'right' if right[what] else 'no'}" for what, given in asked.items()]
    left = [what for what in right if what not in asked]
    verdict = "; ".join(said) + (f"; still to say: {', '.join(left)}" if left else "")
    found = f"Line {bug.line}: {bug.what}. It should be `{bug.mended}`."
    message = (found,) if state == "right" else ()
    saved_progress.record(name, state)
    return Hunt(name, state, message, program=bug.source, items=(verdict, *_shown(bug)))


def _asked(case: Any, term: Any, symptom: Any) -> dict[str, Any]:
    """Return the parts of the answer that are given; raise where one is no possible answer."""
    if case is not None:
        checks.count("case", case, at_least=0, at_most=5)
    if term is not None:
        checks.choice("term", term, TERMS)
    if symptom is not None:
        checks.choice("symptom", symptom, SYMPTOMS)
    answer = {"case": case, "term": term, "symptom": symptom}
    return {what: given for what, given in answer.items() if given is not None}


def _question(k: int) -> tuple[str, ...]:
    symptoms = ", ".join(f"`{name}` ({words})" for name, (words, _) in SYMPTOMS.items())
    return (
        "One change makes this program wrong. In which case, in which term, and how does it show?",
        f'Answer with `hunt({k}, case=..., term="...", symptom="...")`.',
        f"Cases: {CASES}. Terms: {', '.join(f'`{term}`' for term in TERMS)}.",
        f"Symptoms: {symptoms}.",
        "Where several symptoms hold, name any one of them. Not every one occurs in the hunt.",
    )


def _shown(bug: Bug) -> tuple[str, ...]:
    """Return on which networks the bug fails and where, and where it fails first."""
    found = evidence(bug)
    lines = [f"{name}: {_named(wrong)}" for name, wrong in found.wrong.items()]
    if found.factor is not None:
        lines.append(f"T = 4: every gradient is {found.factor:.4g} times the exact one")
    return (*lines, f"first, with T = 4: {first_wrong(bug)}")


def _named(wrong: Wrong) -> str:
    """Return the wrong gradients in words."""
    return f"wrong in {', '.join(sorted(wrong))}" if wrong else "right"
