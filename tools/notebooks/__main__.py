"""Execute notebooks in place, or say how long they take.

``python -m tools.notebooks run [files]`` executes; ``times`` prints a table, and ``times --write``
writes the times into the notebooks and into the reading paths. All notebooks by default.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nbformat

from tools import ROOT
from tools.notebooks.execution import NotebookError, normalise, run
from tools.notebooks.reading_time import contents, stated, with_times

PATHS_PAGE = ROOT / "docs" / "reading-paths.md"


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the command line, do it, and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.notebooks", description=__doc__)
    parser.add_argument("command", choices=["run", "times"])
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--write", action="store_true", help="write the times where they stand")
    args = parser.parse_intermixed_args(argv)
    files = args.files or sorted((ROOT / "notebooks").glob("*.ipynb"))
    try:
        if args.command == "times":
            times(files, args.write)
        else:
            for path in files:
                run(path)
                print(f"ran {path.name}", flush=True)
    except (NotebookError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def times(files: Sequence[Path], write: bool) -> None:
    """Print what each notebook holds and how long that takes; write it too, if asked."""
    notebooks: dict[str, Any] = {p.stem: nbformat.read(p, as_version=4) for p in files}
    print("notebook             words formulas lines figures | minutes, exercises | stated")
    for stem, notebook in notebooks.items():
        c, now = contents(notebook), stated(notebook.cells[0].source)
        print(f"{stem:20} {c.words:5} {c.formulas:8} {c.lines:5} {c.figures:7} | "
              f"{c.reading:7} {c.exercises:10} | {now or ''}")  # fmt: skip
    if not write:
        return
    page = with_times(notebooks, PATHS_PAGE.read_text(encoding="utf-8"))
    for path in files:
        nbformat.write(normalise(notebooks[path.stem]), path)
    if len(files) == len(list((ROOT / "notebooks").glob("*.ipynb"))):
        PATHS_PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
