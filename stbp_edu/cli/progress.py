"""Show which exercises are done and what comes next, or hand the file to somebody else.

stbp-edu progress --export anna.json     a file to hand in, or for another machine
stbp-edu progress --import anna.json     adds it to yours: what is right in either is right
"""

import argparse
from pathlib import Path

from stbp_edu.practice import export_progress, import_progress, progress_report


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``progress``: none, or a file."""
    file = parser.add_mutually_exclusive_group()
    file.add_argument("--export", type=Path, metavar="FILE", help="write your progress to a file")
    file.add_argument("--import", type=Path, dest="add", metavar="FILE", help="add a file to yours")


def run(args: argparse.Namespace) -> int:
    """Print what is done and what comes next, or write a file."""
    if args.export:
        print(f"wrote {export_progress(args.export)}")
        return 0
    print(import_progress(args.add) if args.add else progress_report())
    return 0
