"""The table of the commands, how one is called, and the words that several of them say.

``stbp-edu --help`` lists them, and ``--help`` after a command explains it:

    stbp-edu train digits --help
"""

import argparse
import io
import logging
import sys
from collections.abc import Sequence
from importlib import import_module
from inspect import getdoc

import stbp_edu

COMMANDS = {
    "verify": ("learn:verify", "verify the gradients: every equation, every oracle"),
    "train": ("train:train", "train a network on a data set"),
    "assign": ("teach:assign", "write a problem set from a plan: for teachers"),
    "mistakes": ("teach:mistakes", "name the mistakes of a class: for teachers"),
    "sweep": ("sweep:sweep", "train many networks: seeds and settings from a plan"),
}
"""The commands by name: module and function, and the line in ``stbp-edu --help``.

The module of a command is imported when it is called.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status: 0 where all went well."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A letter that the terminal cannot show is spelled out.
            stream.reconfigure(errors="backslashreplace")
    logging.basicConfig(format="%(message)s")
    logging.getLogger("stbp_edu").setLevel(logging.INFO)
    words = sys.argv[1:] if argv is None else argv
    name = command_name(words)
    try:
        args = parse(words)
        return int(args.run(args))
    except ModuleNotFoundError as error:
        library = str(error.name).partition(".")[0]
        needed = f"the command needs {library}; run: pip install {library}"
        print(f"stbp-edu {name}: {needed}", file=sys.stderr)
        return 2
    except (ValueError, TypeError, OSError, ImportError, MemoryError) as error:
        # A user's mistake is explained in a sentence; anything else keeps its traceback.
        print(f"stbp-edu {name}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"\nstbp-edu {name}: stopped", file=sys.stderr)
        return 130


def command_name(words: Sequence[str]) -> str | None:
    """Return the command among the words of a command line; None if there is none."""
    named = next((word for word in words if not word.startswith("-")), None)
    return named if named in COMMANDS else None


def parse(words: Sequence[str]) -> argparse.Namespace:
    """Return the arguments of a command, among them ``run``, the function to call with them."""
    first, _, _ = str(stbp_edu.__doc__).partition("\n")
    parser = argparse.ArgumentParser(prog="stbp-edu", description=first)
    parser.add_argument("--version", action="version", version=stbp_edu.__version__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    called = command_name(words)
    for name, (place, summary) in COMMANDS.items():
        added = commands.add_parser(name, help=summary)
        if name == called:
            module, _, function = place.partition(":")
            names = vars(import_module(f"stbp_edu.cli.{module}"))
            added.description = getdoc(names[function])
            added.formatter_class = argparse.RawDescriptionHelpFormatter
            added.set_defaults(run=names[function])
            names[f"{function}_arguments"](added)
    return parser.parse_args(words)


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
    if s < 3600:
        return f"{s // 60} min {s % 60:02d} s"
    return f"{s // 3600} h {s // 60 % 60:02d} min"
