"""Two named mistakes at once: the right answer with the changes of both."""

import ast
import re
import warnings
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from functools import cache
from itertools import combinations, pairwise

from stbp_edu.practice.tasks import Exercise
from stbp_edu.practice.tasks.catalogue import Mistake, define

TOKEN = re.compile(r"[^\W\d]\w*(?:\.\w+)*|\d+(?:\.\d+)?|\*\*|//|[<>=]=|[^\w\s]|\s+")
"""Names, numbers, signs, and the space between them."""


def merged(right: str, one: str, other: str) -> str:
    """Return a text with the changes of two others, and "" where these touch each other.

    >>> merged("a + b * c", "a - b * c", "a + b")
    'a - b'
    """
    pieces = TOKEN.findall(right)
    changes = []
    for text in (one, other):
        new = TOKEN.findall(text)
        matcher = SequenceMatcher(None, pieces, new, autojunk=False)
        for kind, start, stop, first, last in matcher.get_opcodes():
            if kind != "equal":
                changes.append((start, stop, new[first:last]))
    changes.sort()
    if any(after[0] <= before[1] for before, after in pairwise(changes)):
        return ""
    for start, stop, new in reversed(changes):
        pieces[start:stop] = new
    return "".join(pieces)


def pairs_of(mistakes: Sequence[Mistake]) -> Iterator[tuple[Mistake, Mistake]]:
    """Yield two mistakes of different names."""
    for one, other in combinations(mistakes, 2):
        if one.id != other.id:
            yield one, other


@cache
def with_both(exercise: Exercise, one: Mistake, other: Mistake) -> str:
    """Return the source of an exercise's function with two mistakes, and "" where there is none."""
    sources = [
        exercise.source(),
        exercise.source(one.body),
        exercise.source(other.body),
    ]
    source = merged(*(ast.unparse(ast.parse(text)) for text in sources))
    if not source or source in sources:
        return ""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # such as that a number is called
        try:
            define(source)
        except SyntaxError:
            return ""
    return source
