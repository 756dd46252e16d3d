"""Execute notebooks in place, or write their numbers and times.

``python -m tools.notebooks run [files]`` executes, all by default. ``renumber`` writes what follows
from the order in ``course.toml``: the numbers in names, titles and links, and the times; and it
executes the notebooks that moved, since what they print may name a number.
"""

import argparse
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
        moved = renumber() if args.command == "renumber" else files().values()
        for path in args.files or moved:
            ran = execute(nbformat.read(path, as_version=4), path.name, path.parent)
            nbformat.write(ran, path)  # it stays as it was if anything goes wrong
            print(f"ran {path.name}", flush=True)
    except (NotebookError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
