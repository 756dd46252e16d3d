"""Run the package with one file changed, in a fork of this process, where libraries stay loaded."""

import ast
import gc
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import os
import resource
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import CodeType, ModuleType

ROOT = Path(__file__).parents[2]
OURS = ("stbp_edu", "tests")
BYTECODE = ROOT / ".cache" / "bytecode"
"""Where the forks keep what they compile of the files that are as they were."""


class _Changed(importlib.machinery.SourceFileLoader):
    """Loads one module from code that is given."""

    code: CodeType

    def get_code(self, fullname: str) -> CodeType:
        """Return the code."""
        return self.code


class Replaced(importlib.abc.MetaPathFinder):
    """Finds one module, and says that its code is another."""

    def __init__(self, path: Path, tree: ast.Module) -> None:
        """Compile the tree, which stands for the file at ``path`` under the project's folder."""
        parts = path.with_suffix("").parts
        self.module = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        self.file = ROOT / path
        self.code = compile(tree, str(self.file), "exec")

    def find_spec(
        self, fullname: str, path: object, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Return where the module is loaded from, if it is this one."""
        if fullname != self.module:
            return None
        loader = _Changed(fullname, str(self.file))
        loader.code = self.code
        return importlib.util.spec_from_file_location(fullname, self.file, loader=loader)


def forget() -> None:
    """Drop the package and its tests from memory; libraries stay."""
    for name in [name for name in sys.modules if name.partition(".")[0] in OURS]:
        del sys.modules[name]


def answers(
    path: Path, tree: ast.Module, work: Callable[[], Iterator[str]], seconds: int
) -> tuple[list[str], bool]:
    """Return what ``work`` yields in a fork with the file changed, and whether it came to its end.

    A change may run for ever: after ``seconds`` of computing the fork is ended.
    """
    read, write = os.pipe()
    gc.freeze()  # or the child's first collection would copy all memory
    child = os.fork()
    if child == 0:
        os.close(read)
        _work(path, tree, work, write, seconds)
    os.close(write)
    with os.fdopen(read, encoding="utf-8") as lines:
        said = lines.read().split("\n")
    _, status = os.waitpid(child, 0)
    return [line for line in said if line], status == 0


def _work(
    path: Path, tree: ast.Module, work: Callable[[], Iterator[str]], write: int, seconds: int
) -> None:
    """Do the work of the fork, and end it: nothing of this process may run twice."""
    code = 1
    try:
        most = resource.getrlimit(resource.RLIMIT_CPU)[1]  # of a fork in a fork, what is left to it
        seconds = seconds if most == resource.RLIM_INFINITY else min(seconds, most)
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 1), os.dup2(quiet, 2)
        sys.dont_write_bytecode, sys.pycache_prefix = False, str(BYTECODE)
        forget()
        sys.meta_path.insert(0, replaced := Replaced(path, tree))
        importlib.import_module(replaced.module)  # or pytest would load a file named to it itself
        for line in work():
            os.write(write, f"{line}\n".encode())
        code = 0
    except BaseException as error:
        os.write(write, f"raised {error!r}\n".encode())
    finally:
        os._exit(code)
