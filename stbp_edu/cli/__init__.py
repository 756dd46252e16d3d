"""The command ``stbp-edu``: ``main`` parses it, and has a table of the commands.

- ``learn``: verify, check and progress.
- ``train`` and ``sweep``: the commands of these names.
- ``finished``: eval and plot, of finished runs.
- ``teach``: assign and grade.

A command is a function of its arguments that returns the exit status; its docstring is what
``--help`` prints. Beside it a function whose name ends in ``_arguments`` adds its arguments.
"""

import sys


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
    return f"{s // 60} min {s % 60:02d} s" if s < 3600 else f"{s // 3600} h {s // 60 % 60:02d} min"
