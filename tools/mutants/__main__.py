"""``python -m tools.mutants``: change the package in one place at a time; write who noticed.

A run may be stopped and goes on where it was; a file that has changed since begins anew.
"""

import argparse
import ast
import hashlib
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import autograd.numpy  # noqa: F401 - loaded once, before any fork
import hypothesis  # noqa: F401
import sympy  # noqa: F401

from stbp_edu import files
from tools.mutants import fork, judges
from tools.mutants.changes import Change, changes
from tools.mutants.survivors import EQUIVALENT, is_equivalent

RECORD = fork.ROOT / "docs" / "results" / "trust" / "mutants.json"
SECONDS = 90  # of computing; then a change is taken for one that never ends
ROOMS = ("losses", "cases", "engine", "arrows", "verify", "practice/grading")
ALONE = ("surrogates.py", "neuron.py", "network.py", "rules.py")


def all_files() -> list[Path]:
    """Return the files that are changed, under the project's folder."""
    package = fork.ROOT / "stbp_edu"
    found = [package / name for name in ALONE]
    found += [path for room in ROOMS for path in sorted((package / room).glob("*.py"))]
    return [path.relative_to(fork.ROOT) for path in found if path.name != "__init__.py"]


def ask(path: Path, tree: ast.Module) -> list[str]:
    """Return who noticed that a file's tree is this one; "time" where the program did not end."""
    seen, ended = fork.answers(path, tree, lambda: judges.judge(path), SECONDS)
    said = [name if not name.startswith("raised") else "raised" for name in seen]
    return said if said or ended else ["time"]


def measure(path: Path, known: dict[str, Any], most: int) -> Iterator[dict[str, Any]]:
    """Yield the record of one file after each change: how many were tried, and who noticed.

    In an order drawn by a seed, so that the first are a sample; a record that is known goes on.
    """
    source = (fork.ROOT / path).read_text(encoding="utf-8")
    found = changes(source)
    random.Random(path.as_posix()).shuffle(found)
    sha = hashlib.sha256(source.encode()).hexdigest()[:16]
    if known.get("sha") != sha:
        known = {"sha": sha, "changes": len(found), "tried": 0}
        known |= {"seen": {}, "survived": [], "alone": []}
        if seen := ask(path, ast.parse(source)):
            raise SystemExit(f"{path} as it is: {seen} object; mend that first")
    for change in found[known["tried"] : most]:
        yield noted(known, path, change, ask(path, change.tree()))


def noted(known: dict[str, Any], path: Path, change: Change, seen: list[str]) -> dict[str, Any]:
    """Return the record with one change more.

    ``seen`` counts the changes by the judges that noticed; ``survived`` lists those that nobody
    noticed, ``alone`` those of the judged mathematics that only one oracle or test did.
    """
    judges_of = " + ".join(sorted(seen)) or "nobody"
    counts = {**known["seen"], judges_of: known["seen"].get(judges_of, 0) + 1}
    known = {**known, "tried": known["tried"] + 1, "seen": counts}
    if not seen and not is_equivalent(path, change):
        print(f"survived: {path}:{change}", flush=True)
    lists = {"survived": not seen, "alone": judges.is_judged(path) and judges.is_alone(seen)}
    for name in (name for name, belongs in lists.items() if belongs):
        known[name] = [*known[name], {"line": change.line, "old": change.old, "new": change.new}]
    return known


def main() -> None:
    """Measure the files named, or all, and write the record after each."""
    parser = argparse.ArgumentParser(prog="python -m tools.mutants", description=__doc__)
    parser.add_argument("files", nargs="*", type=Path, help="such as stbp_edu/neuron.py; all")
    parser.add_argument("--most", type=int, default=10**6, help="changes of a file; all")
    args = parser.parse_args()
    record = files.read_json(RECORD) if RECORD.exists() else {}
    judges.prepare()
    for path in args.files or all_files():
        for result in measure(path, record.get(path.as_posix(), {}), args.most):
            record[path.as_posix()] = result
            files.write_json(RECORD, record)
    print(f"written: {RECORD.name}; survivors that change nothing: {EQUIVALENT.name}")


if __name__ == "__main__":
    main()
