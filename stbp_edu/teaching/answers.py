"""The answers in a submitted notebook: of each task, the statements that its answer needs.

Nothing is run here. Cells that check, print or patch something bind no name that an answer needs,
so that they are left out, whatever was done to them.
"""

import ast
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from stbp_edu.practice.tasks import FormulaBlank, Task

LARGEST = 10 * 2**20
"""Bytes in a notebook."""
PACKAGE = "stbp_edu"
UNREADABLE = (SyntaxError, ValueError, RecursionError, MemoryError)
"""What Python raises where a cell is no program, or nests too deep."""


class NoAnswerError(ValueError):
    """There is no answer that could be judged; ``state`` is the verdict."""

    def __init__(self, state: str, text: str) -> None:
        """Keep the verdict beside the text."""
        super().__init__(text)
        self.state = state


def name_of(task: Task) -> str:
    """Return the name that an answer has in a notebook: no two tasks share one.

    >>> from stbp_edu.practice.tasks import tasks
    >>> name_of(tasks()["c3-delta-open"])
    'c3_delta_open'
    """
    return task.id.replace("-", "_")


def read_notebook(path: Path) -> tuple[list[str], int]:
    """Return the source of a notebook's code cells, and the variant that it says it is of.

    Raises:
        ValueError: if it is no notebook.
    """
    if path.stat().st_size > LARGEST:
        raise ValueError(f"it has more than {LARGEST // 2**20} MB: no notebook of a problem set")
    try:
        book = json.loads(path.read_bytes())
        code = ["".join(c["source"]) for c in book["cells"] if c["cell_type"] == "code"]
        variant = book["metadata"].get(PACKAGE, {}).get("variant", 1)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"it is no notebook ({type(error).__name__}: {error})") from error
    return code, variant if type(variant) is int else 1


def answer_to(task: Task, cells: Sequence[str]) -> str:
    """Return the answer to a task: a formula, or the source of a function and what it needs.

    Raises:
        NoAnswerError: if there is none, it cannot be read, or it imports this package.
    """
    name, broken = name_of(task), ""
    statements: list[ast.stmt] = []
    for cell in cells:
        for text in (cell, "\n".join(map(_plain, cell.splitlines()))):
            try:
                statements += ast.parse(text).body
                break
            except UNREADABLE as error:
                broken = broken or (str(error) if name in text else "")
    needed = _needed(name, statements)
    if not needed:
        text = f"Its cell cannot be read as Python: {broken}." if broken else ""
        raise NoAnswerError("wrong" if broken else "todo", text or f"There is no `{name}`.")
    if isinstance(task, FormulaBlank):
        value = getattr(needed[-1], "value", None)
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            return value.value
        if isinstance(value, ast.Constant) and value.value in (None, Ellipsis):
            return ""
        raise NoAnswerError("wrong", f"`{name}` must be a formula between quotation marks.")
    for node in (node for statement in needed for node in ast.walk(statement)):
        modules = [a.name for a in node.names] if isinstance(node, ast.Import) else []
        modules += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        if any(module.partition(".")[0] == PACKAGE for module in modules):
            raise NoAnswerError("refused", f"It imports {PACKAGE}: an answer is its author's own.")
    try:
        return "\n".join(ast.unparse(statement) for statement in needed)
    except UNREADABLE as error:
        raise NoAnswerError("wrong", f"It cannot be read: {error}.") from error


def _plain(line: str) -> str:
    """Return a line of a cell; one of IPython's own becomes ``pass``."""
    code = line.lstrip()
    return line[: len(line) - len(code)] + "pass" if code[:1] in ("%", "!", "?") else line


def _needed(name: str, statements: Sequence[ast.stmt]) -> list[ast.stmt]:
    """Return the statements that bind a name, and those that bind what they use, in their order."""
    chosen: set[int] = set()
    wanted, known = [name], {name}
    bound = [set(_bound(statement)) for statement in statements]
    while wanted:
        this = wanted.pop()
        for k, names in enumerate(bound):
            if this in names and k not in chosen:
                chosen.add(k)
                used = {n.id for n in ast.walk(statements[k]) if isinstance(n, ast.Name)}
                wanted += sorted(used - known)
                known |= used
    return [statements[k] for k in sorted(chosen)]


def _bound(statement: ast.stmt) -> Iterator[str]:
    """Yield the names that a statement of a cell binds."""
    if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        yield statement.name
    elif isinstance(statement, (ast.Import, ast.ImportFrom)):
        for alias in statement.names:
            yield (alias.asname or alias.name).partition(".")[0]
    elif not isinstance(statement, ast.Expr):
        for node in ast.walk(statement):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                yield node.id
            elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                yield node.name
