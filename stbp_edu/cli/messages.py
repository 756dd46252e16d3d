"""What commands print besides their results."""

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
