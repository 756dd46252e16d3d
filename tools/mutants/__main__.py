"""``python -m tools.mutants``: change the package in one place at a time; write who noticed.

A run may be stopped and goes on where it was; a file that has changed since begins anew. After a
new test, ``--again`` asks once more about the changes that nobody noticed, or not enough judges.
"""

import argparse
import ast
import hashlib
import math
import random
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import autograd.numpy  # noqa: F401 - loaded once, before any fork
import hypothesis  # noqa: F401
import pytest  # noqa: F401
import sympy  # noqa: F401

from stbp_edu import files
from tools.mutants import fork, judges
from tools.mutants.changes import Change, changes
from tools.mutants.reached import ENOUGH, Reached, measured
from tools.mutants.survivors import EQUIVALENT, is_equivalent

RECORD = fork.ROOT / "docs" / "results" / "trust" / "mutants.json"
SECONDS = 180  # of computing; then a change is taken for one that never ends
SAMPLES = (12, 50)  # changes of each file that are tried before all of any
FOUND_WELL: set[str] = set()  # groups of files to which, as they are, nobody objects
PLACE = ("line", "column", "code", "old", "new")
LISTS = ("survived", "weakly")  # of a record: see ``noted``
ROOMS = ("losses", "cases", "engine", "arrows", "verify", "practice/grading")
ALONE = ("surrogates.py", "neuron.py", "network.py", "rules.py")


def all_files() -> list[Path]:
    """Return the files that are changed, under the project's folder."""
    package = fork.ROOT / "stbp_edu"
    found = [package / name for name in ALONE]
    found += [path for room in ROOMS for path in sorted((package / room).glob("*.py"))]
    return [path.relative_to(fork.ROOT) for path in found if path.name != "__init__.py"]


def chosen(paths: Sequence[Path]) -> list[Path]:
    """Return the files that are changed at these paths or below; all where none is given."""
    found = [file for file in all_files() if not paths or {file, *file.parents} & {*paths}]
    if not found:
        raise SystemExit(
            f"no file at {', '.join(map(str, paths))} is changed; give stbp_edu/verify"
        )
    return found


def ask(path: Path, tree: ast.Module, reaching: Sequence[str] = ()) -> list[str]:
    """Return who noticed that a file's tree is this one; "time" where the program did not end."""
    seen, ended = fork.answers(path, tree, lambda: judges.judge(path, reaching), SECONDS)
    said = [name if not name.startswith("raised") else "raised" for name in seen]
    return said if said or ended else ["time"]


def measure(path: Path, known: dict[str, Any], most: int) -> Iterator[dict[str, Any]]:
    """Yield the record of one file after each change: how many were tried, and who noticed.

    In an order drawn by a seed, so that the first are a sample; a record that is known goes on.
    """
    source = (fork.ROOT / path).read_text(encoding="utf-8")
    found = changes(source)
    random.Random(path.as_posix()).shuffle(found)
    if known.get("sha") != sha(source):
        known = {"sha": sha(source), "changes": len(found), "tried": 0}
        known |= {"computing": 0, "seen": {}, "survived": [], "weakly": []}
        ask_as_it_is(path, source)
    for change in found[known["tried"] : most]:
        seen = ask(path, change.tree(), reaching(path, change, ENOUGH))
        yield (known := noted(known, path, change, seen))


def reaching(path: Path, change: Change, seconds: float) -> Sequence[str]:
    """Return the tests that run the changed line, up to so many seconds of them.

    None of the judged mathematics: there the oracles are asked first, and then every test.
    """
    if judges.is_judged(path):
        return ()
    return reached(judges.group(path)).at(path, change.line, seconds)


@cache
def reached(group: str) -> Reached:
    """Return which tests run the lines of a group of files, as they are."""
    its = [path for path in all_files() if judges.group(path) == group]
    return measured(its, [*judges.OPTIONS, *judges.TESTS[group].split()])


def ask_as_it_is(path: Path, source: str) -> None:
    """Raise SystemExit if somebody objects to a file unchanged; one file of a group is asked of."""
    group = judges.group(path)
    if group not in FOUND_WELL and (seen := ask(path, ast.parse(source))):
        raise SystemExit(f"{path} as it is: {seen} object; mend that first")
    FOUND_WELL.add(group)


def sha(source: str) -> str:
    """Return what tells a file from its other versions."""
    return hashlib.sha256(source.encode()).hexdigest()[:16]


def measure_again(path: Path, known: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the record of one file after each change that is listed is asked about again."""
    source = (fork.ROOT / path).read_text(encoding="utf-8")
    if known.get("sha") != sha(source):
        raise SystemExit(f"{path} has no record, or has changed since; leave --again out")
    found = {key(place(change)): change for change in changes(source)}
    for kind, entry in [(k, entry) for k in LISTS for entry in known[k]]:
        change = found[key(entry)]
        if not is_equivalent(path, change):
            seen = ask(path, change.tree(), reaching(path, change, math.inf))
            yield (known := noted(forgotten(known, kind, entry), path, change, seen))


def forgotten(known: dict[str, Any], kind: str, entry: dict[str, Any]) -> dict[str, Any]:
    """Return the record with one change of the list ``kind`` less."""
    counts = {**known["seen"], entry["by"]: known["seen"][entry["by"]] - 1}
    seen = {judges_of: count for judges_of, count in counts.items() if count}
    at = known[kind].index(entry)
    kept = [*known[kind][:at], *known[kind][at + 1 :]]
    left = {"tried": known["tried"] - 1, "computing": known["computing"] - (not entry["checks"])}
    return {**known, **left, "seen": seen, kind: kept}


def place(change: Change) -> dict[str, Any]:
    """Return which change of its file this is."""
    return {k: getattr(change, k) for k in PLACE}


def key(entry: dict[str, Any]) -> tuple[Any, ...]:
    """Return the place of an entry, whatever the order of its fields."""
    return tuple(entry[k] for k in PLACE)


def noted(known: dict[str, Any], path: Path, change: Change, seen: list[str]) -> dict[str, Any]:
    """Return the record with one change more.

    ``seen`` counts the changes by the judges that noticed, ``computing`` those that alter what is
    computed, not what is checked; ``survived`` lists those that nobody noticed, ``weakly`` those of
    the judged mathematics that not enough did.
    """
    judges_of = " + ".join(sorted(seen)) or "nobody"
    counts = {**known["seen"], judges_of: known["seen"].get(judges_of, 0) + 1}
    computing = known["computing"] + (not change.checks)
    known = {**known, "tried": known["tried"] + 1, "computing": computing, "seen": counts}
    if not seen and not is_equivalent(path, change):
        print(f"survived: {path}:{change}", flush=True)
    lists = {
        "survived": not seen,
        "weakly": judges.is_judged(path) and seen and not judges.enough(seen, change.checks),
    }
    for name in (name for name, belongs in lists.items() if belongs):
        entry = {**place(change), "checks": change.checks, "by": judges_of}
        known[name] = [*known[name], entry]
    return known


def main() -> None:
    """Measure the files named, or all, and write the record after each."""
    parser = argparse.ArgumentParser(prog="python -m tools.mutants", description=__doc__)
    parser.add_argument("paths", nargs="*", type=Path, help="files or folders, as stbp_edu/arrows")
    parser.add_argument("--most", type=int, default=10**6, help="changes of a file; all")
    parser.add_argument("--again", action="store_true", help="those that are listed")
    args = parser.parse_args()
    record = files.read_json(RECORD) if RECORD.exists() else {}
    judges.prepare()
    paths = sorted(chosen(args.paths), key=lambda path: not judges.is_judged(path))
    rounds = [None] if args.again else [most for most in SAMPLES if most < args.most] + [args.most]
    for most, path in product(rounds, paths):
        known = record.get(path.as_posix(), {})
        for result in measure(path, known, most) if most else measure_again(path, known):
            record[path.as_posix()] = result
            files.write_json(RECORD, record)
    print(f"written: {RECORD.name}; survivors that change nothing: {EQUIVALENT.name}")


if __name__ == "__main__":
    main()
