"""What the bug hunt shows as a game: a program, its wrong line, and how the bug shows."""

from functools import cache

from stbp_edu.explorers.widget import Json
from stbp_edu.practice.bug_hunt import SYMPTOMS, TABLE, Bug, bugs, evidence


@cache
def hunt_data() -> Json:
    """Return the right program, and for each bug the line that it changes and what it does.

    ``line`` counts from 1. Any of a bug's ``symptoms`` is a right answer.

    >>> first = hunt_data()["bugs"][0]
    >>> first["line"], first["now"], first["symptoms"]
    (17, 'delta[n][t] = delta[N][T - 1] - epsilon[n][t + 1] * u * df(o)', ['T>1'])
    """
    return {
        "program": TABLE["program"].splitlines(),
        "symptoms": {name: words for name, (words, _) in SYMPTOMS.items()},
        "bugs": [_shown(bug) for bug in bugs()],
    }


def _shown(bug: Bug) -> Json:
    """Return one bug: its place, both forms of its line, and what it does."""
    shown = evidence(bug)
    return {
        "line": bug.line,
        "now": bug.source.splitlines()[bug.line - 1].strip(),
        "right": bug.mended,
        "place": f"case {bug.case}, {bug.term}" if bug.case else "the loops",
        "what": bug.what,
        "symptoms": list(shown.symptoms),
        "first": shown.first,
    }
