"""Two named mistakes at once: the right answer with the changes of both."""

import ast
import re
import warnings
from collections.abc import Sequence
from difflib import SequenceMatcher
from functools import cache
from itertools import combinations, pairwise

from stbp_edu.practice.tasks import Exercise, Task
from stbp_edu.practice.tasks.catalogue import Mistake, define

TOKEN = re.compile(r"[^\W\d]\w*(?:\.\w+)*|\d+(?:\.\d+)?|\*\*|//|[<>=]=|[^\w\s]|\s+")
"""Names, numbers, signs, and the space between them."""


def merged(right: str, one: str, other: str) -> str:
    """Return a text with the changes of two others, and "" where these touch each other.

    >>> merged("a + b * c", "a - b * c", "a + b")
    'a - b'
    """
    changes = [*changes_of(right, one), *changes_of(right, other)]
    changes.sort()
    for (_, stop, _), (start, _, _) in pairwise(changes):
        if start <= stop:
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
    parts = _parts(right)
    others = _parts(other)
    if _label(right) != _label(other) or len(parts) != len(others):
        return len(list(ast.walk(right)))
    return sum(map(size_of_change, parts, others))


def _parts(node: ast.AST) -> list[ast.AST]:
    """Return the parts of a node that are expressions or statements."""
    inner = ast.iter_child_nodes(node)
    signs = (ast.expr_context, ast.operator, ast.unaryop, ast.cmpop, ast.boolop)
    return [part for part in inner if not isinstance(part, signs)]


def _label(node: ast.AST) -> tuple[object, ...]:
    """Return the kind of a node without its parts: a name, a number, an operation."""
    value = node.value if isinstance(node, ast.Constant) else None
    operation = type(getattr(node, "op", None))
    name = getattr(node, "id", None) or getattr(node, "attr", None)
    return type(node), operation, name, value


def pairs_of(mistakes: Sequence[Mistake]) -> list[tuple[Mistake, Mistake]]:
    """Return every two mistakes of different names."""
    pairs = combinations(mistakes, 2)
    return [(one, other) for one, other in pairs if one.id != other.id]


def likeliest_pairs(task: Task) -> list[tuple[Mistake, Mistake]]:
    """Return every two mistakes of different names, first those that change the least."""
    right = _tree(task, task.solution)
    sizes = {}
    for mistake in task.mistakes:
        wrong = _tree(task, mistake.body)
        sizes[mistake] = size_of_change(right, wrong)

    def size(pair: tuple[Mistake, Mistake]) -> int:
        one, other = pair
        return sizes[one] + sizes[other]

    return sorted(pairs_of(task.mistakes), key=size)


def _tree(task: Task, body: str) -> ast.AST:
    """Return an answer to a task as a tree."""
    if isinstance(task, Exercise):
        body = task.source(body)
    return ast.parse(body)


@cache
def with_both(exercise: Exercise, one: Mistake, other: Mistake) -> str:
    """Return the source of an exercise's function with two mistakes, and "" where there is none."""
    bodies = (exercise.solution, one.body, other.body)
    source = merged(*(_in_one_form(exercise, body) for body in bodies))
    if not source or source in map(exercise.source, bodies):
        return ""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # such as that a number is called
        try:
            define(source)
        except SyntaxError:
            return ""
    return source


@cache
def _in_one_form(exercise: Exercise, body: str) -> str:
    """Return the source of an answer as Python itself writes it."""
    return ast.unparse(ast.parse(exercise.source(body)))
