"""A slip of the keyboard in an answer, told apart from a misunderstanding.

A slip is a name that is near in spelling to the right one and means nothing else in the subject, or
a colon or bracket that is left out. The name of another quantity, such as ``delta_next`` for
``eps_next``, is a misunderstanding, however near it is.
"""

import re
from collections.abc import Iterator, Sequence
from functools import cache

from stbp_edu.practice.tasks import Exercise, Task, blanks, exercises

CONFUSED = {
    ("delta", "eps"): "delta-for-epsilon",
    ("delta", "err"): "delta-for-epsilon",
    ("eps", "delta"): "epsilon-for-delta",
    ("H", "h"): "twin-for-h",
    ("df", "f"): "df-for-f",
    ("f", "df"): "f-for-df",
}
"""The misconceptions that one quantity is for another, by how the two names begin."""
WHOLE_LAYER = "UOWXY"
"""Capitals of the same quantities for a whole layer; T and H are not t and h."""
LEFT_OUT = {
    "expected ':'": ":",
    "'(' was never closed": ")",
    "'[' was never closed": "]",
}
"""What is missing at the end of a line where Python says so."""
MOST_EDITS = 2


@cache
def quantities() -> frozenset[str]:
    """Return the names that mean a quantity in some task of the course, or H."""
    found = {"H"}
    for task in exercises().values():
        found.update(task.arguments)
    for blank in blanks().values():
        found.update(blank.symbols)
    return frozenset(found)


def is_slip(typed: str, meant: str) -> bool:
    """Return whether a name is another one, mistyped.

    >>> is_slip("epsilon_nxt", "epsilon_next"), is_slip("eps_next", "epsilon_next")
    (True, True)
    >>> is_slip("delta_next", "eps_next"), is_slip("df", "f"), is_slip("H", "h")
    (False, False, False)
    """
    if plain(typed) == plain(meant):
        return True
    if typed in quantities():
        return False
    return edits(typed, meant) <= min(MOST_EDITS, len(meant) // 2)


def plain(name: str) -> str:
    """Return a name with the short word for ε, and as that of one neuron.

    >>> plain("epsilon_next"), plain("U_next"), plain("T")
    ('eps_next', 'u_next', 'T')
    """
    if name[:1] in WHOLE_LAYER:
        name = name[:1].lower() + name[1:]
    return name.replace("epsilon", "eps")


def confusion(typed: str, meant: str) -> str:
    """Return the misconception that one quantity is taken for another, or an empty string.

    >>> confusion("delta_next", "eps_next")
    'delta-for-epsilon'
    """
    got, _, _ = plain(typed).partition("_")
    wanted, _, _ = plain(meant).partition("_")
    return CONFUSED.get((got, wanted), "")


def edits(one: str, other: str) -> int:
    """Return how many letters are added, left out or exchanged from one name to another.

    >>> edits("gian", "gain"), edits("delta", "delt")
    (2, 1)
    """
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, start=1):
        above = row
        row = [i]
        for j, b in enumerate(other, start=1):
            exchanged = above[j - 1] + (a != b)
            left_out = above[j] + 1
            added = row[j - 1] + 1
            row.append(min(left_out, added, exchanged))
    return row[-1]


def renamed(cells: Sequence[str], typed: str, meant: str) -> list[str]:
    """Return cells with one name for another."""
    return [re.sub(rf"\b{re.escape(typed)}\b", meant, cell) for cell in cells]


def unknown_name(said: str) -> str:
    """Return the name that is not defined, where a verdict says so; or an empty string."""
    found = re.search(r"name '(\w+)' is not defined", said)
    return found[1] if found else ""


def repairs(
    task: Task, name: str, cells: Sequence[str], said: str
) -> Iterator[tuple[str, list[str]]]:
    """Yield what an answer may be right with, in words, and the cells with it.

    Args:
        task: what is asked.
        name: what the answer is called.
        cells: the notebook's code.
        said: the verdict on it.
    """
    missing = unknown_name(said)
    if missing and isinstance(task, Exercise):
        meant = _nearest(missing, task.arguments)
        if is_slip(missing, meant):
            yield f"`{missing}` is `{meant}`", renamed(cells, missing, meant)
    other = re.search(r"There is `(\w+)`: rename it", said)
    if other:
        yield f"`{other[1]}` is `{name}`", renamed(cells, other[1], name)
    unread = re.search(r"cannot be read as Python: (.+) \(line (\d+)\)", said)
    if unread and unread[1] in LEFT_OUT:
        sign = LEFT_OUT[unread[1]]
        line = int(unread[2])
        mended = []
        for cell in cells:
            if name in cell:
                cell = _with_end(cell, line, sign)
            mended.append(cell)
        yield f"line {line} ends with `{sign}`", mended


def _nearest(typed: str, names: Sequence[str]) -> str:
    """Return the same name, written plainly; or else the one that takes fewest edits."""
    for name in names:
        if plain(name) == plain(typed):
            return name
    return min(names, key=lambda name: edits(typed, name))


def _with_end(cell: str, number: int, sign: str) -> str:
    """Return a cell with a sign at the end of a line that defines something, before a comment."""
    lines = cell.split("\n")
    if "def " not in cell or not 1 <= number <= len(lines):
        return cell
    code, mark, comment = lines[number - 1].partition("#")
    ended = f"{code.rstrip()}{sign}  {mark}{comment}"
    lines[number - 1] = ended.rstrip()
    return "\n".join(lines)


def confused(
    task: Task, cells: Sequence[str], said: str
) -> Iterator[tuple[str, str, list[str]]]:
    """Yield a misconception about names of quantities, what it is right with, and those cells."""
    missing = unknown_name(said)
    if missing in quantities() and isinstance(task, Exercise):
        for meant in task.arguments:
            mistake = confusion(missing, meant)
            if mistake:
                words = f"`{missing}` is `{meant}`"
                yield mistake, words, renamed(cells, missing, meant)
