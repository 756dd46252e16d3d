"""The program that runs in a process of its own, and runs an answer there.

:mod:`stbp_edu.teaching.wall` starts it. The process has this file, the two modules that it
imports, NumPy, and Python's own modules. Neither the solutions nor any right value are there, so a
forged message or a patched function is one more wrong value.

It runs the notebook's code as "Run all" does, but statement by statement: one that fails, or takes
too long, is left, since it may have nothing to do with the answer. Then it calls the answer for
each message of the judge and sends back what it returns, as plain data.
"""

import ast
import contextlib
import os
import resource
import signal
import sys
from collections.abc import Callable, Sequence
from types import FunctionType
from typing import IO, Any

import numpy as np

from stbp_edu.practice.grading.calling import described, plain_value
from stbp_edu.teaching.messages import (
    pack,
    read_message,
    unpack,
    unpack_argument,
    write_message,
)

UNREADABLE = (SyntaxError, ValueError, RecursionError, MemoryError)
"""What Python raises where a cell is not a program, or nests too deep."""
ExceptionWords = tuple[str, str]
"""The kind of an exception, and what it says."""


class Missing:
    """A name that could not be imported: whatever is done with it says so."""

    def __init__(self, error: ImportError) -> None:
        """Keep the error."""
        vars(self)["error"] = error

    def __getattr__(self, name: str) -> Any:
        raise vars(self)["error"]

    def __call__(self, *args: Any, **options: Any) -> Any:
        """Raise the error of the import."""
        raise vars(self)["error"]


def set_limits(memory: int, seconds: int) -> None:
    """Limit memory in bytes and processor time; allow no files, threads or processes."""
    limits = {
        resource.RLIMIT_AS: memory,
        resource.RLIMIT_CPU: seconds,
        resource.RLIMIT_NOFILE: 64,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_NPROC: 0,
    }
    for name, limit in limits.items():
        with contextlib.suppress(ValueError, OSError):  # macOS refuses some
            resource.setrlimit(name, (limit, limit))


def become_nobody() -> None:
    """Become a user that owns nothing; the limit on processes does not hold for root."""
    nobody = 61000 + os.getpid() % 4000
    os.setgroups([])
    os.setgid(nobody)
    os.setuid(nobody)


def statements_of(cell: str) -> list[ast.stmt]:
    """Return the statements of a cell, IPython's own lines left out."""
    with contextlib.suppress(SyntaxError):
        return ast.parse(cell).body
    lines = []
    for line in cell.splitlines():
        code = line.lstrip()
        indent = line[: len(line) - len(code)]
        lines.append(f"{indent}pass" if code[:1] in ("%", "!", "?") else line)
    return ast.parse("\n".join(lines)).body


def run_cells(
    cells: Sequence[str],
    name: str,
    space: dict[str, Any],
    patience: float,
    *,
    by_check: bool = False,
) -> dict[str, Any]:
    """Run the cells, and return what the judge has to know of the answer ``name``.

    ``by_check``: only what is handed to ``check`` is the answer, whatever has its name.
    """
    facts: dict[str, Any] = {"unread": "", "failed": [], "returns": True}
    is_given = False
    for cell in cells:
        try:
            statements = statements_of(cell)
        except UNREADABLE as error:
            if name in cell:
                said = str(getattr(error, "msg", error))[:200]
                facts["unread"] = f"{said} (line {getattr(error, 'lineno', 1)})"
            continue
        for statement in statements:
            problem = run(statement, space, patience)
            if problem and _gives_value_to(name, statement):
                facts["failed"] = problem
            if isinstance(statement, ast.FunctionDef) and statement.name == name:
                facts["returns"] = _has(statement, ast.Return, ast.Raise, ast.Yield)
            checked = _checked_as(name, statement)
            if checked and (by_check or is_given or name not in space):
                is_given = run(_given(name, checked), space, patience) is None
    facts["found"] = name in space and (is_given or not by_check)
    facts["arguments"] = {}
    for other, value in space.items():
        if isinstance(value, FunctionType) and value.__module__ == "answer":
            code = value.__code__
            facts["arguments"][other] = code.co_varnames[: code.co_argcount]
    return facts


def _checked_as(name: str, statement: ast.stmt) -> ast.expr | None:
    """Return the expression that a statement checks as the answer ``name``, or None.

    In the notebooks of the course an answer has any name: ``check("c2-delta-cost", my_delta)``.
    """
    for node in ast.walk(statement):
        match node:
            case ast.Call(ast.Name(caller), [ast.Constant(str(task)), answer]):
                if caller == "check_formula":
                    task += "-formula"
                if task.replace("-", "_") == name and caller.startswith("check"):
                    return answer
    return None


def _given(name: str, value: ast.expr) -> ast.stmt:
    """Return the statement that gives a name this value."""
    statement = ast.Assign([ast.Name(name, ast.Store())], value)
    return ast.fix_missing_locations(statement)


def _has(statement: ast.stmt, *kinds: type[ast.AST]) -> bool:
    """Return whether a node of one of these kinds is in a statement."""
    return any(isinstance(node, kinds) for node in ast.walk(statement))


def _gives_value_to(name: str, statement: ast.stmt) -> bool:
    """Return whether a statement should give the name a value."""
    for node in ast.walk(statement):
        if isinstance(node, ast.FunctionDef) and node.name == name:
            return True
        if isinstance(node, ast.Name) and node.id == name:
            return isinstance(node.ctx, ast.Store)
    return False


def run(
    statement: ast.stmt, space: dict[str, Any], patience: float
) -> ExceptionWords | None:
    """Run one statement; return what it raised, if it did."""
    signal.setitimer(signal.ITIMER_REAL, patience)
    try:
        exec(compile(ast.Module([statement], []), "<answer>", "exec"), space)
    except BaseException as error:
        if isinstance(error, ImportError):
            for name in _imported(statement):
                space[name] = Missing(error)
        return described(error)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    return None


def _imported(statement: ast.stmt) -> list[str]:
    """Return the names that an import statement gives values to."""
    if not isinstance(statement, (ast.Import, ast.ImportFrom)):
        return []
    return [alias.asname or alias.name.split(".")[0] for alias in statement.names]


def _too_long(*_: Any) -> None:
    """End a statement of the notebook that takes too long."""
    raise TimeoutError("it takes too long")


def serve(requests: IO[bytes], replies: IO[bytes], patience: float) -> None:
    """Define the answer, and send what it gives for each message, until there are no more.

    An answer that is not a function is sent as text: it should be a formula.
    """

    def ask(k: int, args: Any) -> Any:
        plain = [plain_value(arg) for arg in args]
        write_message(replies, ["ask", k, pack(plain)])
        kind, value = read_message(requests)
        if kind == "problem":
            raise ValueError(value)
        return unpack(value)

    write_message(replies, ["ready"])
    cells, name, by_check = read_message(requests)
    space: dict[str, Any] = {"__name__": "answer", "np": np}
    facts = run_cells(cells, name, space, patience, by_check=by_check)
    write_message(replies, ["defined", facts])
    while True:
        args = unpack(read_message(requests), unpack_argument(ask))
        write_message(replies, reply_of(space.get(name), args))


def reply_of(answer: Any, args: Sequence[Any]) -> list[Any]:
    """Return the message with what an answer gives for arguments, or with what it raises."""
    try:
        if not args:
            is_text = isinstance(answer, (str, int, float))
            return ["value", pack(str(answer) if is_text else plain_value(answer))]
        function: Callable[..., Any] = answer
        with np.errstate(all="ignore"):
            return ["value", pack(plain_value(function(*args)))]
    except BaseException as error:
        return ["problem", *described(error)]


def main() -> None:
    """Set the limits, forget this package, and serve."""
    memory, seconds, is_walled = map(int, sys.argv[1:])
    requests, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):  # what an answer reads or prints
        os.dup2(nothing, stream)
    set_limits(memory * 2**20, seconds)
    if is_walled and os.geteuid() == 0:
        become_nobody()
    del sys.path[0]
    for name in [n for n in sys.modules if n.partition(".")[0] == "stbp_edu"]:
        del sys.modules[name]
    signal.signal(signal.SIGALRM, _too_long)
    with contextlib.suppress(EOFError, BrokenPipeError, ValueError):
        serve(requests, replies, patience=seconds / 5)


if __name__ == "__main__":
    main()
