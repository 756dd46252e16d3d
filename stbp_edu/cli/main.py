"""The table of the commands, how one is called, and the words that several of them say.

``stbp-edu --help`` lists them, and ``--help`` after a command explains it:

    stbp-edu train digits --help
"""

import argparse
import io
import sys
from collections.abc import Sequence
from importlib import import_module
from inspect import getdoc

import stbp_edu

COMMANDS = {
    "verify": (
        "learn:verify",
        "prove the gradients: every equation against every oracle",
    ),
    "train": ("train:train", "train a network on a data set"),
    "eval": ("finished:evaluate", "evaluate a trained network over several encodings"),
    "plot": ("finished:plot", "draw the curves, spikes and weights of a run"),
    "check": ("learn:check", "check your own backward pass, case by case"),
    "progress": ("learn:progress", "show which exercises are done"),
    "assign": ("teach:assign", "write a problem set from a plan: for teachers"),
    "grade": ("teach:grade", "grade a folder of submissions: for teachers"),
    "sweep": ("sweep:sweep", "train many networks: seeds and settings from a plan"),
}
"""The function of each command, whose module is imported when it is called, and its help."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status: 0 where all went well."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(
            stream, io.TextIOWrapper
        ):  # a letter that it cannot show is spelled out
            stream.reconfigure(errors="backslashreplace")
    args = parse(sys.argv[1:] if argv is None else argv)
    try:
        return int(args.run(args))
    except (ValueError, TypeError, OSError, ImportError, MemoryError) as error:
        # What a user can mend gets a sentence; anything else is ours and keeps its traceback.
        said = str(error)
        if isinstance(error, MemoryError):
            mend = "choose fewer neurons, steps, or images in a batch"
            said = f"there is not enough memory ({error}); {mend}"
        print(f"stbp-edu {args.command}: {said}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"\nstbp-edu {args.command}: stopped", file=sys.stderr)
        return 130


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """Return the arguments of a command, among them ``run``, the function to call with them."""
    parser = argparse.ArgumentParser(prog="stbp-edu", description=stbp_edu.__doc__)
    parser.add_argument("--version", action="version", version=stbp_edu.__version__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    called = next((word for word in argv if not word.startswith("-")), None)
    for name, (place, summary) in COMMANDS.items():
        command = commands.add_parser(name, help=summary)
        if name == called:
            module, _, function = place.partition(":")
            chosen = vars(import_module(f"stbp_edu.cli.{module}"))
            command.description = getdoc(chosen[function])
            command.formatter_class = argparse.RawDescriptionHelpFormatter
            command.set_defaults(run=chosen[function])
            chosen[f"{function}_arguments"](command)
    return parser.parse_args(argv)


def tell(sentence: str) -> None:
    """Print a sentence on the error stream, which is not for results."""
    print(sentence, file=sys.stderr, flush=True)


def format_duration(seconds: float) -> str:
    """Return a duration as a person would say it.

    >>> format_duration(8.4), format_duration(75), format_duration(3690)
    ('8 s', '1 min 15 s', '1 h 01 min')
    """
    s = round(seconds)
    if s < 60:
        return f"{s} s"
    return (
        f"{s // 60} min {s % 60:02d} s"
        if s < 3600
        else f"{s // 3600} h {s // 60 % 60:02d} min"
    )
