"""Show which exercises are done, and what comes next."""

import argparse

from stbp_edu.practice import progress_report


def add_arguments(_parser: argparse.ArgumentParser) -> None:
    """Add nothing: ``progress`` has no arguments."""


def run(_args: argparse.Namespace) -> int:
    """Print what is done and what comes next."""
    print(progress_report())
    return 0
