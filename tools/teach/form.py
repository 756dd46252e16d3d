"""How often the key is found by the form of the choices alone, by readers who know nothing else.

Each habit picks the choice that is extreme in one measure: the longest, the one with the fewest
signs, the one most like the others. Where several are, it picks one of them at random.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from difflib import SequenceMatcher
from functools import cache, partial

TOKEN = re.compile(r"[^\W\d]\w*(?:\.\w+)*|\d+(?:\.\d+)?|\*\*|//|[<>=]=|[^\w\s]")
Measure = Callable[[Sequence[str]], list[float]]


@cache
def tokens(choice: str) -> tuple[str, ...]:
    """Return the names, numbers and signs of a choice, in their order."""
    return tuple(TOKEN.findall(choice))


@cache
def likeness(one: str, other: str) -> float:
    """Return how much of two choices is the same, from 0 to 1."""
    first, second = sorted((one, other))
    return SequenceMatcher(None, tokens(first), tokens(second), autojunk=False).ratio()


def _counted(count: Callable[[str], float], choices: Sequence[str]) -> list[float]:
    return [count(choice) for choice in choices]


def _central(choices: Sequence[str]) -> list[float]:
    """Return how like the others each choice is."""
    return [sum(likeness(a, b) for b in choices if b != a) for a in choices]


def _shared(choices: Sequence[str]) -> list[float]:
    """Return how common the tokens of each choice are among all, on average."""
    sets = [set(tokens(choice)) for choice in choices]
    return [sum(t in s for t in one for s in sets) / len(one) for one in sets]


def _kinds(pattern: str) -> Callable[[str], float]:
    return lambda choice: sum(bool(re.fullmatch(pattern, t)) for t in tokens(choice))


MEASURES: Mapping[str, Measure] = {
    "characters": partial(_counted, len),
    "tokens": partial(_counted, lambda c: len(tokens(c))),
    "different names": partial(_counted, lambda c: len({t for t in tokens(c) if t[0].isalpha()})),
    "names": partial(_counted, _kinds(r"[^\W\d].*")),
    "operators": partial(_counted, _kinds(r"[-+*/@]|\*\*")),
    "minus signs": partial(_counted, _kinds("-")),
    "brackets": partial(_counted, _kinds(r"[(\[]")),
    "numbers": partial(_counted, _kinds(r"\d.*")),
    "likeness to the others": _central,
    "shared tokens": _shared,
    "place in the alphabet": lambda choices: [sorted(choices).index(c) for c in choices],
}


def chances(choices: Sequence[str], key: int = 0) -> dict[str, float]:
    """Return, for each habit, how likely it picks the choice ``key``.

    >>> found = chances(["a + b", "a", "b", "a"])
    >>> found["most tokens"], found["fewest tokens"]
    (1.0, 0.0)
    """
    found = {}
    for name, measure in MEASURES.items():
        values = [round(v, 9) for v in measure(choices)]
        for word, extreme in (("most", max(values)), ("fewest", min(values))):
            hits = [k for k, v in enumerate(values) if v == extreme]
            found[f"{word} {name}"] = (key in hits) / len(hits)
    return found
