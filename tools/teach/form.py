"""How often the key is found by the form of the choices alone, by readers who know nothing else.

Each habit picks the choice that is extreme in one measure: the longest, the one with the fewest
signs, the one most like the others. Where several are, it picks one of them at random.
"""

import re
from collections.abc import Sequence
from difflib import SequenceMatcher
from functools import cache

TOKEN = re.compile(r"[^\W\d]\w*(?:\.\w+)*|\d+(?:\.\d+)?|\*\*|//|[<>=]=|[^\w\s]")
KINDS = {
    "tokens": ".*",
    "names": r"[^\W\d].*",
    "operators": r"[-+*/@]|\*\*",
    "minus signs": "-",
    "brackets": r"[(\[]",
    "numbers": r"\d.*",
}
"""Tokens that are counted."""


@cache
def tokens(choice: str) -> tuple[str, ...]:
    """Return the names, numbers and signs of a choice, in their order."""
    return tuple(TOKEN.findall(choice))


@cache
def likeness(one: str, other: str) -> float:
    """Return how much of two choices is the same, from 0 to 1."""
    first, second = sorted((one, other))
    return SequenceMatcher(None, tokens(first), tokens(second), autojunk=False).ratio()


def measures(choices: Sequence[str]) -> dict[str, list[float]]:
    """Return what each habit looks at, for each of the choices."""
    sets = [set(tokens(choice)) for choice in choices]
    counted = {
        name: [sum(bool(re.fullmatch(kind, t)) for t in tokens(choice)) for choice in choices]
        for name, kind in KINDS.items()
    }
    return {
        "characters": [len(choice) for choice in choices],
        **counted,
        "different names": [sum(t[0].isalpha() for t in one) for one in sets],
        "likeness to the others": [sum(likeness(a, b) for b in choices if b != a) for a in choices],
        "shared tokens": [sum(t in s for t in one for s in sets) / len(one) for one in sets],
        "place in the alphabet": [sorted(choices).index(choice) for choice in choices],
    }


def chances(choices: Sequence[str]) -> dict[str, float]:
    """Return, for each habit, how likely it picks the first choice.

    >>> found = chances(["a + b", "a", "b", "a"])
    >>> found["most tokens"], found["fewest tokens"]
    (1.0, 0.0)
    """
    found = {}
    for name, measured in measures(choices).items():
        values = [round(v, 9) for v in measured]
        for word, extreme in (("most", max(values)), ("fewest", min(values))):
            found[f"{word} {name}"] = (values[0] == extreme) / values.count(extreme)
    return found
