"""The answers in a submitted notebook: of each task, the statements that its answer needs.

Nothing is run here. Cells that check, print or patch something bind no name that an answer needs,
so that they are left out, whatever was done to them.
"""

import ast
import contextlib
import json
import symtable
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from stbp_edu.practice.tasks import Task

LARGEST = 10 * 2**20
"""Bytes in a notebook."""
PACKAGE = "stbp_edu"
UNREADABLE = (SyntaxError, ValueError, RecursionError, MemoryError)
"""What Python raises where a cell is no program, or nests too deep."""
SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
IMPORTS = (ast.Import, ast.ImportFrom)


def name_of(task: Task) -> str:
    """Return the name that an answer has in a notebook: no two tasks share one.

    >>> from stbp_edu.practice.tasks import tasks
    >>> name_of(tasks()["c3-delta-open"])
    'c3_delta_open'
    """
    return task.id.replace("-", "_")


def read_notebook(path: Path) -> tuple[list[str], dict[str, Any]]:
    """Return the source of a notebook's code cells, and what it says of its problem set.

    Raises:
        ValueError: if it is no notebook.
    """
    try:
        book = json.loads(path.read_bytes())
        code = ["".join(c["source"]) for c in book["cells"] if c["cell_type"] == "code"]
        return code, dict(book["metadata"].get(PACKAGE, {}))
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError("it is no notebook: not what Jupyter saves; ask for it again") from error


def answer_to(name: str, cells: Sequence[str]) -> str:
    """Return the source of what an answer of this name needs, with no other statement.

    Raises:
        LookupError: if there is none.
        ValueError: if it cannot be read.
    """
    statements: list[ast.stmt] = []
    broken = ""
    for cell in cells:
        try:
            statements += _parsed(cell)
        except UNREADABLE as error:
            broken = broken or (str(error) if name in cell else "")
    names = [_names(statement) for statement in statements]
    if not any(name in bound for bound, _, _ in names):
        if broken:
            raise ValueError(f"Its cell cannot be read as Python: {broken}.")
        raise LookupError(f"There is no `{name}`.")
    try:
        return "\n".join(map(ast.unparse, _needed(name, statements, names)))
    except UNREADABLE as error:
        raise ValueError(f"It cannot be read: {error}.") from error


def _parsed(cell: str) -> list[ast.stmt]:
    """Return the statements of a cell, IPython's own lines left out where it has some."""
    with contextlib.suppress(SyntaxError):
        return ast.parse(cell).body
    lines = ((line, line.lstrip()) for line in cell.splitlines())
    return ast.parse("\n".join(
        f"{line[: len(line) - len(code)]}pass" if code[:1] in ("%", "!", "?") else line
        for line, code in lines
    )).body  # fmt: skip


Names = tuple[set[str], set[str], set[str]]
"""The names of the notebook that a statement binds, changes and uses."""


def _needed(name: str, statements: Sequence[ast.stmt], names: Sequence[Names]) -> list[ast.stmt]:
    """Return the statements that bind or change a name, and what they use, in their order."""
    pairs = list(zip(statements, names, strict=True))
    own = {n for s, (bound, _, _) in pairs if not isinstance(s, IMPORTS) for n in bound}
    chosen = {k for k, (bound, _, _) in enumerate(names) if "*" in bound}
    wanted, known = [name], {name}
    while wanted:
        this = wanted.pop()
        for k, (bound, changed, used) in enumerate(names):
            if k not in chosen and this in bound | (changed & own):
                chosen.add(k)
                wanted += sorted(used - known)
                known |= used
    return [statements[k] for k in sorted(chosen)]


def _names(statement: ast.stmt) -> Names:
    """Return the names that it binds, also global ones inside; that it may change; and uses.

    A function uses its own name: a call of it may set what an answer needs.
    """
    bound = {statement.name} if isinstance(statement, SCOPES) else set()
    used = set(bound)
    if isinstance(statement, ast.ImportFrom) and statement.names[0].name == "*":
        return {"*"}, set(), set()
    with contextlib.suppress(*UNREADABLE):
        tables = [symtable.symtable(ast.unparse(statement), "answer", "exec")]
        while tables:
            table = tables.pop()
            tables += table.get_children()
            top = table.get_type() == "module"
            for symbol in (s for s in table.get_symbols() if top or s.is_global()):
                if symbol.is_assigned() or symbol.is_imported():
                    bound.add(symbol.get_name())
                if symbol.is_referenced():
                    used.add(symbol.get_name())
    return bound, set(_changed(statement)) & used, used


def _changed(statement: ast.stmt) -> Iterator[str]:
    """Yield the names whose parts it sets, whose methods it calls, or that it calls alone."""
    for node in ast.walk(statement):
        part: ast.AST | None = None
        if isinstance(node, (ast.Subscript, ast.Attribute)) and isinstance(node.ctx, ast.Store):
            part = node
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            part = node.value.func
        while isinstance(part, (ast.Subscript, ast.Attribute)):
            part = part.value
        if isinstance(part, ast.Name):
            yield part.id
