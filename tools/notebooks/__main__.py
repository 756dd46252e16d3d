"""Execute notebooks in place, or write their numbers and times.

``python -m tools.notebooks run [files]`` executes, all by default. ``renumber`` writes what follows
from the order in ``course.toml``: the numbers in names, titles and links, the tables of the map and
of the reading paths, and the times.
"""

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from tools.notebooks.execution import NotebookError, run
from tools.notebooks.numbering import files, renumber


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the command line, do it, and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.notebooks", description=__doc__)
    parser.add_argument("command", choices=["run", "renumber"])
    parser.add_argument("files", nargs="*", type=Path, help="for run; all")
    args = parser.parse_intermixed_args(argv)
    try:
        if args.command == "renumber":
            _execute(_that_tell_a_number() if renumber() else [])
        else:
            _execute(args.files or list(files().values()))
    except (NotebookError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _execute(paths: Sequence[Path]) -> None:
    for path in paths:
        run(path)
        print(f"ran {path.name}", flush=True)


def _that_tell_a_number() -> list[Path]:
    """Return the notebooks in whose outputs the answer to an exercise names a notebook."""
    told = re.compile(r"Look at notebook \d")
    return [path for path in files().values() if told.search(path.read_text(encoding="utf-8"))]


if __name__ == "__main__":
    sys.exit(main())
