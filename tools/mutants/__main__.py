"""``python -m tools.mutants``: change the package in one place at a time; write who noticed.

Files that the record holds already, unchanged, are left out: so a run may be stopped and go on.
"""

import argparse
import ast
import hashlib
import random
import time
from pathlib import Path
from typing import Any

import autograd.numpy  # noqa: F401 - loaded once, before any fork
import hypothesis  # noqa: F401
import sympy  # noqa: F401

from stbp_edu import files
from tools.mutants import fork, judges
from tools.mutants.changes import Change, changes
from tools.mutants.survivors import EQUIVALENT, is_equivalent

RECORD = fork.ROOT / "docs" / "results" / "mutants.json"
SECONDS = 90  # of computing; then a change is taken for one that never ends
ROOMS = ("losses", "cases", "engine", "arrows", "verify", "practice/grading")
ALONE = ("surrogates.py", "neuron.py", "network.py", "rules.py")


def all_files() -> list[Path]:
    """Return the files that are changed, under the project's folder."""
    package = fork.ROOT / "stbp_edu"
    found = [package / name for name in ALONE]
    found += [path for room in ROOMS for path in sorted((package / room).glob("*.py"))]
    return [path.relative_to(fork.ROOT) for path in found if path.name != "__init__.py"]


def try_change(path: Path, change: Change) -> list[str]:
    """Return who noticed one change; "time" where the program did not end."""
    seen, ended = fork.answers(path, change.tree(), lambda: judges.judge(path), SECONDS)
    said = [name if not name.startswith("raised") else "raised" for name in seen]
    return said if said or ended else ["time"]


def measure(path: Path, most: int, seed: int) -> dict[str, Any]:
    """Return the record of one file: how many changes, who noticed each, and what survived."""
    source = (fork.ROOT / path).read_text(encoding="utf-8")
    found = changes(source)
    rng = random.Random(f"{seed} {path}")
    chosen = sorted(rng.sample(range(len(found)), min(most, len(found))))
    began, tried = time.monotonic(), []
    if unchanged := fork.answers(path, ast.parse(source), lambda: judges.judge(path), SECONDS)[0]:
        raise SystemExit(f"{path} unchanged: {unchanged} object; mend that first")
    for k in chosen:
        change = found[k]
        seen = try_change(path, change)
        tried.append({"change": str(change), "seen": seen})
        if not seen and not is_equivalent(path, change):
            print(f"survived: {path}:{change}", flush=True)
    print(f"{path}: {len(tried)} of {len(found)}, {time.monotonic() - began:.0f} s", flush=True)
    return {"sha": digest(source), "changes": len(found), "seed": seed, "tried": tried}


def digest(source: str) -> str:
    """Return a short hash of a file, by which a record of an older one is known."""
    return hashlib.sha256(source.encode()).hexdigest()[:16]


def main() -> None:
    """Measure the files named, or all, and write the record after each."""
    parser = argparse.ArgumentParser(prog="python -m tools.mutants", description=__doc__)
    parser.add_argument("files", nargs="*", type=Path, help="such as stbp_edu/neuron.py; all")
    parser.add_argument("--most", type=int, default=10**6, help="changes of a file, drawn by seed")
    parser.add_argument("--seed", type=int, default=0, help="which, where not all are tried (0)")
    parser.add_argument("--again", action="store_true", help="files whose record is there, too")
    args = parser.parse_args()
    record = files.read_json(RECORD) if RECORD.exists() else {}
    judges.prepare()
    for path in args.files or all_files():
        known = record.get(path.as_posix(), {})
        source = (fork.ROOT / path).read_text(encoding="utf-8")
        if args.again or known.get("sha") != digest(source):
            record[path.as_posix()] = measure(path, args.most, args.seed)
            files.write_json(RECORD, record)
    print(f"written: {RECORD.name}; survivors that change nothing: {EQUIVALENT.name}")


if __name__ == "__main__":
    main()
