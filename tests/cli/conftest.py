"""Commands to call."""

from stbp_edu.cli.main import parse

QUICK = [
    "--epochs",
    "2",
    "--hidden",
    "30",
    "--T",
    "4",
    "--batch",
    "100",
    "--encodings",
    "2",
]


def call(*argv):
    """Run a command; what it raises comes through."""
    args = parse(list(map(str, argv)))
    return args.run(args)
