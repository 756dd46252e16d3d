"""Execute notebooks in place: ``python -m tools.notebooks run [files]``, all by default."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from tools import ROOT
from tools.notebooks.execution import NotebookError, run


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the command line, execute, and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.notebooks", description=__doc__)
    parser.add_argument("command", choices=["run"])
    parser.add_argument("files", nargs="*", type=Path)
    args = parser.parse_args(argv)
    try:
        for path in args.files or sorted((ROOT / "notebooks").glob("*.ipynb")):
            run(path)
            print(f"ran {path.name}", flush=True)
    except (NotebookError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
