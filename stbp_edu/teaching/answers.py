"""The answers in a submitted notebook: of each task, the statements that its answer needs.

Nothing is run here. Cells that check, print or patch something bind no name that an answer needs,
so that they are left out, whatever was done to them.
"""

import ast
import contextlib
import json
import symtable
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from stbp_edu.practice.tasks import FormulaBlank, Task

LARGEST = 10 * 2**20
"""Bytes in a notebook."""
LONGEST = 10_000
"""Letters in a formula."""
PACKAGE = "stbp_edu"
ALL = """
try:
    import {module} as _all
    _names = set(getattr(_all, "__all__", vars(_all))) & set(vars(_all))
    globals().update({{name: vars(_all)[name] for name in _names if name[0] != "_"}})
except Exception:
    pass
"""
"""What is run for ``from module import *``; NumPy would import modules that are refused."""
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
    try:
        needed = _needed(name, statements)
        if not any(name in names for names in _bindings(needed)):
            text = f"Its cell cannot be read as Python: {broken}." if broken else ""
            raise NoAnswerError("wrong" if broken else "todo", text or f"There is no `{name}`.")
        if isinstance(task, FormulaBlank):
            return _formula(name, needed)
        _refuse_package(needed)
        return "\n".join(ast.unparse(_harmless(statement)) for statement in needed)
    except NoAnswerError:
        raise
    except UNREADABLE as error:
        raise NoAnswerError("wrong", f"It cannot be read: {error}.") from error


def _refuse_package(needed: Sequence[ast.stmt]) -> None:
    """Raise NoAnswerError where an answer imports this package."""
    for node in (node for statement in needed for node in ast.walk(statement)):
        modules = [a.name for a in node.names] if isinstance(node, ast.Import) else []
        modules += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        if any(module.partition(".")[0] == PACKAGE for module in modules):
            raise NoAnswerError("refused", f"It imports {PACKAGE}: an answer is its author's own.")


def _formula(name: str, needed: Sequence[ast.stmt]) -> str:
    """Return the text that a name is bound to; nothing is run for it."""
    texts: dict[str, str | None] = {}
    for statement, names in zip(needed, _bindings(needed), strict=True):
        value = None
        if isinstance(statement, (ast.Assign, ast.AnnAssign)) and statement.value:
            value = _text(statement.value, texts)
        elif isinstance(statement, ast.Expr) and isinstance(statement.value, ast.NamedExpr):
            value = _text(statement.value.value, texts)
        elif isinstance(statement, ast.AugAssign) and isinstance(statement.target, ast.Name):
            before = ast.Name(statement.target.id, ast.Load())
            value = _text(ast.BinOp(before, statement.op, statement.value), texts)
        texts |= dict.fromkeys(names, value)
    text = texts[name]
    if text is None:
        raise NoAnswerError(
            "wrong",
            f"`{name}` must be a formula between quotation marks, or such texts put together with "
            "+, in an f-string or by join; no function is called for it: write the formula out.",
        )
    return text


def _text(node: ast.expr, texts: Mapping[str, str | None]) -> str | None:
    """Return the text that an expression gives, with these names; None where it gives none."""
    parts: list[str | None] = [None]
    if isinstance(node, ast.Constant):
        blank = node.value is None or node.value is Ellipsis
        parts = ["" if blank else str(node.value)]
    elif isinstance(node, ast.Name):
        parts = [texts.get(node.id)]
    elif isinstance(node, ast.FormattedValue) and node.conversion == -1 and not node.format_spec:
        parts = [_text(node.value, texts)]
    elif isinstance(node, ast.JoinedStr):
        parts = [_text(part, texts) for part in node.values]
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        parts = [_text(node.left, texts), _text(node.right, texts)]
    elif isinstance(node, ast.Call):
        parts = _joined(node, texts)
    found = [part for part in parts if part is not None]
    whole = len(found) == len(parts) and sum(map(len, found)) <= LONGEST
    return "".join(found) if whole else None


def _joined(node: ast.Call, texts: Mapping[str, str | None]) -> list[str | None]:
    """Return the parts of ``between.join([...])``, and [None] for any other call."""
    row = node.args[0] if len(node.args) == 1 and not node.keywords else None
    method = node.func
    if not isinstance(row, (ast.List, ast.Tuple)):
        return [None]
    if not isinstance(method, ast.Attribute) or method.attr != "join":
        return [None]
    between = _text(method.value, texts)
    parts = [part for item in row.elts for part in (between, _text(item, texts))]
    return parts[1:]


def _plain(line: str) -> str:
    """Return a line of a cell; one of IPython's own becomes ``pass``."""
    code = line.lstrip()
    return line[: len(line) - len(code)] + "pass" if code[:1] in ("%", "!", "?") else line


def _needed(name: str, statements: Sequence[ast.stmt]) -> list[ast.stmt]:
    """Return the statements that bind or change a name, and what they use, in their order."""
    chosen = {k for k, statement in enumerate(statements) if _imports_all(statement)}
    wanted, known = [name], {name}
    bound = _bindings(statements)
    imports = [isinstance(statement, (ast.Import, ast.ImportFrom)) for statement in statements]
    objects = {n for names, other in zip(bound, imports, strict=True) if not other for n in names}
    inside = _by_calls(statements, _changed_inside)
    touched = [
        names | ((set(_changed(s)) | more) & objects)
        for names, s, more in zip(bound, statements, inside, strict=True)
    ]
    while wanted:
        this = wanted.pop()
        for k, names in enumerate(touched):
            if this in names and k not in chosen:
                chosen.add(k)
                used = set(_used(statements[k]))
                wanted += sorted(used - known)
                known |= used
    return [statements[k] for k in sorted(chosen)]


def _imports_all(statement: ast.stmt) -> bool:
    """Return whether a statement is ``from module import *``, of another module than ours."""
    if not isinstance(statement, ast.ImportFrom) or statement.names[0].name != "*":
        return False
    return bool(statement.module) and not f"{statement.module}.".startswith(f"{PACKAGE}.")


def _harmless(statement: ast.stmt) -> ast.stmt:
    """Return a statement; one that imports all of a module takes what is there, or nothing."""
    if not isinstance(statement, ast.ImportFrom) or not _imports_all(statement):
        return statement
    return ast.parse(ALL.format(module=statement.module)).body[0]


def _used(statement: ast.stmt) -> Iterator[str]:
    """Yield the names that a statement takes from the notebook; a function's own are left out."""
    tables = [symtable.symtable(ast.unparse(statement), "answer", "exec")]
    while tables:
        table = tables.pop()
        tables += table.get_children()
        top = table.get_type() == "module"
        yield from (s.get_name() for s in table.get_symbols() if top or s.is_global())


def _bindings(statements: Sequence[ast.stmt]) -> list[set[str]]:
    """Return the names that each statement binds, also where it calls what binds a global."""
    declared = _by_calls(statements, _declared)
    return [set(_bound(s)) | more for s, more in zip(statements, declared, strict=True)]


def _by_calls(
    statements: Sequence[ast.stmt], done: Callable[[ast.stmt], set[str]]
) -> list[set[str]]:
    """Return for each statement what is ``done`` by the functions that it calls, and they call."""
    scopes: dict[str, list[ast.stmt]] = {}
    for s in statements:
        if isinstance(s, SCOPES):
            scopes.setdefault(s.name, []).append(s)
    found = []
    for s in statements:
        left, called = [] if isinstance(s, SCOPES) else [s], set[str]()
        while left:
            for node in ast.walk(left.pop()):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                    name = node.func.id
                    left += [] if name in called else scopes.get(name, [])
                    called.add(name)
        found.append({n for name in called for scope in scopes.get(name, []) for n in done(scope)})
    return found


def _declared(scope: ast.stmt) -> set[str]:
    """Return the names that a function declares global."""
    return {n for node in ast.walk(scope) if isinstance(node, ast.Global) for n in node.names}


def _changed_inside(scope: ast.stmt) -> set[str]:
    """Return the names of the notebook's objects that a function changes."""
    with contextlib.suppress(*UNREADABLE):
        inside = {n for s in getattr(scope, "body", ()) for n in _changed(s)}
        return inside & set(_used(scope)) if inside else set()
    return set()


SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def _bound(statement: ast.stmt) -> Iterator[str]:
    """Yield the names that a statement of a cell binds."""
    if isinstance(statement, SCOPES):
        yield statement.name
    elif isinstance(statement, (ast.Import, ast.ImportFrom)):
        for alias in statement.names:
            yield (alias.asname or alias.name).partition(".")[0]
    else:
        for node in ast.walk(statement):
            if isinstance(statement, ast.Expr):  # a variable of a comprehension is its own
                if isinstance(node, ast.NamedExpr):
                    yield node.target.id
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                yield node.id
            elif isinstance(node, SCOPES):
                yield node.name


def _changed(statement: ast.stmt) -> Iterator[str]:
    """Yield the names of the objects whose parts it sets, or whose methods it calls."""
    for node in () if isinstance(statement, SCOPES) else ast.walk(statement):
        part: ast.AST | None = None
        if isinstance(node, (ast.Subscript, ast.Attribute)) and isinstance(node.ctx, ast.Store):
            part = node
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            part = node.value.func
        while isinstance(part, (ast.Subscript, ast.Attribute)):
            part = part.value
            if isinstance(part, ast.Name):
                yield part.id
