"""The mistakes that have a name: which one gives an answer, or which two at once."""

import ast
import re
from difflib import SequenceMatcher
from functools import cache
from itertools import combinations, pairwise

from stbp_edu.practice.grading.answer import Answer
from stbp_edu.practice.tasks import Task
from stbp_edu.practice.tasks.catalogue import Mistake

TOKEN = re.compile(r"[^\W\d]\w*(?:\.\w+)*|\d+(?:\.\d+)?|\*\*|//|[<>=]=|[^\w\s]|\s+")
"""Names, numbers, signs, and the space between them."""


@cache
def known_mistakes(task: Task) -> tuple[Mistake, ...]:
    """Return the mistakes of a task's table, and the reversed sign of a whole formula."""
    formula = task.solution.strip().removeprefix("return ")
    if "\n" in formula:
        return task.mistakes
    return (*task.mistakes, task.mistake("sign", f"-({formula})"))


def named(answer: Answer) -> list[Mistake]:
    """Return the mistakes each of which gives an answer."""
    found: dict[str, Mistake] = {}
    for mistake in known_mistakes(answer.task):
        if answer.gives(mistake.program):
            found.setdefault(mistake.id, mistake)
    return list(found.values())


def named_pair(answer: Answer) -> list[Mistake]:
    """Return the two mistakes that together give an answer; of several such, the smallest.

    Mistakes whose changes touch each other come last.
    """
    for source, pair in pairs(answer.task):
        if answer.gives(source):
            return [*pair]
    return []


@cache
def pairs(task: Task) -> list[tuple[str, tuple[Mistake, Mistake]]]:
    """Return every two mistakes that can be made at once, as a program, the likeliest first."""
    right = _in_one_form(task.source())
    found = []
    for one, other in combinations(known_mistakes(task), 2):
        wrong = _in_one_form(one.program), _in_one_form(other.program)
        apart = merged(right, *wrong, touching=False)
        source = apart or merged(right, *wrong)
        if one.id != other.id and source not in ("", right, *wrong):
            size = sum(_size(right, text) for text in wrong)
            found.append((not apart, size, source, (one, other)))
    found.sort(key=lambda row: row[:2])
    return [row[2:] for row in found]


@cache
def _in_one_form(source: str) -> str:
    """Return a program as Python itself writes it."""
    return ast.unparse(ast.parse(source))


@cache
def _size(right: str, wrong: str) -> int:
    """Return how much a mistake changes; another sign changes all that it joins."""
    size = 0
    for start, stop, new in changes_of(right, wrong):
        pieces = [*TOKEN.findall(right)[start:stop], *new]
        size += 10 if all(re.match(r"\W", piece) for piece in pieces) else len(pieces)
    return size


def merged(right: str, one: str, other: str, *, touching: bool = True) -> str:
    """Return a text with the changes of two others, and "" where these overlap, or touch.

    >>> merged("a + b * c", "a - b * c", "a + b")
    'a - b'
    >>> merged("a + b * c", "b * c", "a + d * c")
    'd * c'
    """
    changes = [*changes_of(right, one), *changes_of(right, other)]
    changes.sort()
    for (first, stop, _), (start, last, _) in pairwise(changes):
        if start < stop + (not touching) or first == last:
            return ""
    pieces = TOKEN.findall(right)
    for start, stop, new in reversed(changes):
        pieces[start:stop] = new
    return "".join(pieces)


@cache
def changes_of(right: str, text: str) -> tuple[tuple[int, int, list[str]], ...]:
    """Return the change of a text: the first piece, the one after the last, and the new ones."""
    pieces = TOKEN.findall(right)
    new = TOKEN.findall(text)
    found = []
    matcher = SequenceMatcher(None, pieces, new, autojunk=False)
    for kind, start, stop, first, last in matcher.get_opcodes():
        if kind != "equal":
            found.append((start, stop, new[first:last]))
    return tuple(found)
