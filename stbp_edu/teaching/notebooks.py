"""The notebooks of a problem set, as they are handed out and as they come back.

They are written from one template, and so is the rubric. A student's notebook asks; the teacher's
has the solutions; for nbgrader and Otter there is the source that these tools make both from.

Of one that comes back, an answer is the statements that it needs, and nothing is run here. Cells
that check, print or patch something bind no name that an answer needs, so that they are left out,
whatever was done to them.
"""

import ast
import contextlib
import json
import re
import symtable
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from stbp_edu import __version__
from stbp_edu.practice.feedback import markup
from stbp_edu.practice.tasks import Exercise, Task, tasks
from stbp_edu.teaching.problem_set import ProblemSet

TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"), undefined=StrictUndefined,
    trim_blocks=True, lstrip_blocks=True, autoescape=select_autoescape(["html"]),
)  # fmt: skip
KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}
FLAVOURS = ("plain", "nbgrader", "otter")
CELL = re.compile(r"^%% (markdown|code|raw) (\S+) ?(.*)\n", re.M)
"""The line that begins a cell in the template: its kind, its name, and metadata as JSON."""
LARGEST = 10 * 2**20
"""Bytes in a notebook."""
PACKAGE = "stbp_edu"
UNREADABLE = (SyntaxError, ValueError, RecursionError, MemoryError)
"""What Python raises where a cell is no program, or nests too deep."""
SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
IMPORTS = (ast.Import, ast.ImportFrom)


def filled(template: str, **names: object) -> str:
    """Return a template with its expressions evaluated."""
    return TEMPLATES.get_template(template).render(names)


def many(count: int, what: str) -> str:
    """Return a number of things.

    >>> many(1, "file"), many(3, "file")
    ('1 file', '3 files')
    """
    return f"{count} {what}{'s' * (count != 1)}"


def encodable(text: str) -> str:
    """Return a text that UTF-8 can hold: an answer may raise, and a name may be, what it cannot."""
    return text.encode(errors="backslashreplace").decode()


TEMPLATES.globals |= {"many": many}
TEMPLATES.filters |= {"g": "{:g}".format, "said": lambda text: Markup(markup(text))}


def name_of(task: Task) -> str:
    """Return the name that an answer has in a notebook: no two tasks share one.

    >>> from stbp_edu.practice.tasks import tasks
    >>> name_of(tasks()["c3-delta-open"])
    'c3_delta_open'
    """
    return task.id.replace("-", "_")


def code(task: Task, body: str | None = None) -> str:
    """Return an answer under the name that it has in a problem set; the solution where None.

    >>> print(code(tasks()["c1-epsilon"], "..."))
    def c1_epsilon(delta, h):
        return ...
    >>> print(code(tasks()["h4-formula"], "..."))
    h4_formula = "..."
    """
    if not isinstance(task, Exercise):
        return f'{name_of(task)} = "{body or task.solution}"'
    source = task.source(body)
    return f"def {name_of(task)}({source.partition('(')[2]}"


def notebook(problem_set: ProblemSet, variant: int, form: str) -> str:
    """Return a notebook as text: the same bytes for the same plan.

    Args:
        problem_set: what is asked.
        variant: of which students.
        form: ``"student"``, ``"teacher"``, ``"nbgrader"`` or ``"otter"``.
    """
    asked = [tasks()[id_] for id_ in problem_set.tasks_of(variant)]
    text = filled(
        "notebook.md", plan=problem_set, variant=variant, form=form, asked=asked, code=code,
        name_of=name_of, wheel=f"stbp_edu-{__version__}-py3-none-any.whl",
    )  # fmt: skip
    parts = CELL.split(text)[1:]
    cells = map(_cell, parts[::4], parts[1::4], parts[2::4], parts[3::4])
    said = {"title": problem_set.title, "variant": variant}
    book = {
        "cells": list(cells),
        "metadata": {"kernelspec": KERNEL, PACKAGE: said},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(book, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def _cell(kind: str, name: str, metadata: str, source: str) -> dict[str, Any]:
    """Return a cell with an id of its own."""
    more: dict[str, Any] = (
        {"outputs": [], "execution_count": None} if kind == "code" else {}
    )
    about = {
        "id": name[-64:],
        "cell_type": kind,
        "metadata": json.loads(metadata or "{}"),
    }
    return {**about, "source": source.strip("\n"), **more}


def files_of(problem_set: ProblemSet, flavour: str) -> Iterator[tuple[Path, str]]:
    """Yield what a problem set consists of: paths in its folder, and texts."""
    asked = [tasks()[id_] for id_ in problem_set.every_task()]
    yield Path("rubric.md"), filled("rubric.md", plan=problem_set, asked=asked)
    for variant in range(1, problem_set.count + 1):
        slug = (
            f"{problem_set.slug}-{variant}"
            if problem_set.count > 1
            else problem_set.slug
        )
        forms = {Path("source", slug): flavour, Path("teacher"): "teacher"}
        if flavour == "plain":
            forms = {Path("student"): "student", Path("teacher"): "teacher"}
        for folder, form in forms.items():
            yield folder / f"{slug}.ipynb", notebook(problem_set, variant, form)


def read_notebook(path: Path) -> tuple[list[str], dict[str, Any]]:
    """Return the source of a notebook's code cells, and what it says of its problem set.

    Raises:
        ValueError: if it is no notebook.
    """
    try:
        book = json.loads(path.read_bytes())
        code = ["".join(c["source"]) for c in book["cells"] if c["cell_type"] == "code"]
        return code, dict(book["metadata"].get(PACKAGE, {}))
    except (
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
        RecursionError,
    ) as error:
        raise ValueError(
            "it is no notebook: not what Jupyter saves; ask for it again"
        ) from error


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


def _needed(
    name: str, statements: Sequence[ast.stmt], names: Sequence[Names]
) -> list[ast.stmt]:
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
        if isinstance(node, (ast.Subscript, ast.Attribute)) and isinstance(
            node.ctx, ast.Store
        ):
            part = node
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            part = node.value.func
        while isinstance(part, (ast.Subscript, ast.Attribute)):
            part = part.value
        if isinstance(part, ast.Name):
            yield part.id
