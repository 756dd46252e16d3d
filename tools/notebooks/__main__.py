"""Execute the notebooks in place, or check that they keep the form of the course.

``python -m tools.notebooks run [files]``    execute, and write the outputs
``python -m tools.notebooks check [files]``  print what violates a rule

Without files, all of ``notebooks/``.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from tools import ROOT
from tools.notebooks.execution import NotebookError, run
from tools.notebooks.notebook_rules import findings


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the command line, run the command, and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.notebooks", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("command", choices=["run", "check"])
    parser.add_argument("files", nargs="*", type=Path)
    args = parser.parse_args(argv)
    paths = args.files or sorted((ROOT / "notebooks").glob("*.ipynb"))
    if args.command == "check":
        violations = [f"{path.name}: {text}" for path in paths for text in findings(path)]
        print("\n".join(violations) or "every notebook keeps the form")
        return int(bool(violations))
    try:
        for path in paths:
            run(path)
            print(f"ran {path.name}", flush=True)
    except (NotebookError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
