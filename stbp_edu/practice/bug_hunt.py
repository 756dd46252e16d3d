"""The bug hunt: read a backward pass that has one bug, and name its case, term and symptom."""

from dataclasses import dataclass
from html import escape

from stbp_edu._support import checks
from stbp_edu.practice import saved_progress
from stbp_edu.practice.bugs import SYMPTOMS, bugs, evidence
from stbp_edu.practice.feedback import Feedback

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
        numbered = [f"{k:2}  {line}" for k, line in lines]
        return "\n".join(numbered)

    def __repr__(self) -> str:
        """Return the text form: the program, then what is said."""
        return f"{self.numbered}\n\n{super().__repr__()}"

    def _repr_html_(self) -> str:
        """Return the HTML form; the page keeps the state, as it does of an exercise."""
        program = escape(self.numbered)
        return f"<pre><code>{program}</code></pre>{super()._repr_html_()}"


def hunt(
    k: int,
    *,
    case: int | None = None,
    term: str | None = None,
    symptom: str | None = None,
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
    bug = bugs()[k - 1]
    name = f"hunt({k})"
    answer = {"case": case, "term": term, "symptom": symptom}
    asked = {what: given for what, given in answer.items() if given is not None}
    if not asked:
        return Hunt(name, "todo", _question(k), program=bug.source)
    if case is not None:
        checks.count("case", case, at_least=0, at_most=5)
    for what, known in (("term", TERMS), ("symptom", SYMPTOMS)):
        if what in asked:
            checks.choice(what, asked[what], known)
    shown = evidence(bug)
    right = {
        "case": case == bug.case,
        "term": term == bug.term,
        "symptom": symptom in shown.symptoms,
    }
    said = [
        f"{what} {given}: {'right' if right[what] else 'no'}"
        for what, given in asked.items()
    ]
    left = [what for what in right if what not in asked]
    if left:
        said.append(f"still to say: {', '.join(left)}")
    items = ["; ".join(said)]
    for network, wrong in shown.wrong.items():
        where = f"wrong in {', '.join(sorted(wrong))}" if wrong else "right"
        items.append(f"{network}: {where}")
    if shown.factor is not None:
        items.append(f"T = 4: every gradient is {shown.factor:.4g} times the exact one")
    items.append(f"first, with T = 4: {shown.first}")
    state = "wrong"
    message: tuple[str, ...] = ()
    if all(right.values()):
        state = "right"
        message = (f"Line {bug.line}: {bug.what}. It should be `{bug.mended}`.",)
    saved_progress.record(name, state)
    return Hunt(name, state, message, program=bug.source, items=tuple(items))


def _question(k: int) -> tuple[str, ...]:
    """Return the question about a program, and the possible answers."""
    symptoms = [f"`{name}` ({words})" for name, (words, _) in SYMPTOMS.items()]
    terms = [f"`{term}`" for term in TERMS]
    return (
        "One change makes this program wrong. In which case, in which term, and how does it show?",
        f'Answer with `hunt({k}, case=..., term="...", symptom="...")`.',
        f"Cases: {CASES}. Terms: {', '.join(terms)}.",
        f"Symptoms: {', '.join(symptoms)}.",
        "Where several symptoms hold, name any one of them. Not every one occurs in the hunt.",
    )
