"""Execute notebooks in place, or write their numbers and times.

``python -m tools.notebooks run [files]`` executes, all by default. ``renumber`` writes what follows
from the order in ``course.toml``: the numbers in names, titles and links, and the times.
"""

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path

import nbformat

from tools.notebooks.execution import NotebookError, execute
from tools.notebooks.numbering import files, renumber


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the command line, do it, and return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.notebooks", description=__doc__
    )
    parser.add_argument("command", choices=["run", "renumber"])
    parser.add_argument("files", nargs="*", type=Path, help="for run; all")
    args = parser.parse_intermixed_args(argv)
    try:
        for path in args.files or chosen(args.command):
            ran = execute(nbformat.read(path, as_version=4), path.name, path.parent)
            nbformat.write(ran, path)  # it stays as it was if anything goes wrong
            print(f"ran {path.name}", flush=True)
    except (NotebookError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def chosen(command: str) -> list[Path]:
    """Return all notebooks; or renumber them, and return those whose outputs name another one."""
    if command == "run":
        return list(files().values())
    moved = files().values() if renumber() else ()
    told = re.compile(r"Look at notebook \d")
    return [path for path in moved if told.search(path.read_text(encoding="utf-8"))]


if __name__ == "__main__":
    sys.exit(main())
