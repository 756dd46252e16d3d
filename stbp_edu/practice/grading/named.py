"""The mistakes that have a name: which one gives an answer, or which two at once."""

import ast
import re
from collections.abc import Sequence
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


def named(task: Task, answer: Answer) -> list[Mistake]:
    """Return the mistakes each of which gives an answer."""
    found: dict[str, Mistake] = {}
    for mistake in known_mistakes(task):
        if answer.gives(mistake.program, exactly=False):
            found.setdefault(mistake.id, mistake)
    return list(found.values())


def named_pair(task: Task, answer: Answer) -> list[Mistake]:
    """Return the two mistakes that together give an answer; of several such, the smallest.

    Mistakes whose changes touch each other come last.
    """
    for touching in (False, True):
        for one, other in likeliest_pairs(task):
            if touching and with_both(task, one, other, touching=False):
                continue
            source = with_both(task, one, other, touching=touching)
            if source and answer.gives(source, exactly=False):
                return [one, other]
    return []


def pairs_of(mistakes: Sequence[Mistake]) -> list[tuple[Mistake, Mistake]]:
    """Return every two mistakes of different names."""
    pairs = combinations(mistakes, 2)
    return [(one, other) for one, other in pairs if one.id != other.id]


@cache
def likeliest_pairs(task: Task) -> list[tuple[Mistake, Mistake]]:
    """Return every two mistakes of different names, first those that change the least."""
    right = ast.parse(task.source())
    mistakes = known_mistakes(task)
    sizes = {}
    for mistake in mistakes:
        sizes[mistake] = size_of_change(right, ast.parse(mistake.program))
    return sorted(pairs_of(mistakes), key=lambda pair: sum(sizes[m] for m in pair))


@cache
def with_both(
    task: Task, one: Mistake, other: Mistake, *, touching: bool = True
) -> str:
    """Return the source of a task's function with two mistakes, and "" where there is none."""
    sources = (task.source(), one.program, other.program)
    right, *wrong = map(_in_one_form, sources)
    source = merged(right, *wrong, touching=touching)
    return "" if source in (right, *wrong) else source


@cache
def _in_one_form(source: str) -> str:
    """Return a program as Python itself writes it."""
    return ast.unparse(ast.parse(source))


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


def size_of_change(right: ast.AST, other: ast.AST) -> int:
    """Return how many nodes of a tree are in the parts that differ from another tree.

    Another operation counts with all that it joins, so it is more than a factor that is missing.

    >>> trees = [ast.parse(text) for text in ("a * b + c", "a + c", "a * b * c")]
    >>> size_of_change(trees[0], trees[1]) < size_of_change(trees[0], trees[2])
    True
    """
    parts = list(ast.iter_child_nodes(right))
    others = list(ast.iter_child_nodes(other))
    if _kind(right) != _kind(other) or len(parts) != len(others):
        return len(list(ast.walk(right)))
    return sum(map(size_of_change, parts, others))


def _kind(node: ast.AST) -> list[object]:
    """Return what a node is without its parts: a name, a number, an operation."""
    fields = [value for _, value in ast.iter_fields(node)]
    plain = [value for value in fields if not isinstance(value, (ast.AST, list))]
    return [type(node), type(getattr(node, "op", None)), *plain]
