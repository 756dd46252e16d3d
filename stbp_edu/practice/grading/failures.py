"""Say what an exception of a reader's function is, and at which expression it came."""

import linecache
import traceback

from stbp_edu.practice.grading.structure import Difference


def problem(error: Exception) -> Difference:
    """Return what a function's exception says, and at which expression it came."""
    kind = type(error).__name__
    # An "..." that is left inside a formula is a blank, not a mistake.
    text = text_of(error)
    blank = isinstance(error, TypeError) and "ellipsis" in text
    frames = traceback.extract_tb(error.__traceback__)[1:]
    place = f", at {_expression(frames[0])}" if frames and frames[0].line else ""
    return Difference(
        "problem", f"It raises {kind}: {text}{place}.", blank, error=f"{kind}: {text}"
    )


def _expression(frame: traceback.FrameSummary) -> str:
    """Return the expression that failed and the line that it stands in."""
    line = linecache.getline(frame.filename, frame.lineno or 0).encode()
    part = b""
    if frame.lineno == getattr(frame, "end_lineno", None):
        part = line[frame.colno : frame.end_colno].strip()
    whole = line.decode().strip()
    text = part.decode(errors="replace")
    return f"`{text}` in `{whole}`" if text and text != whole else f"`{whole or frame.line}`"


def text_of(value: object, longest: int = 300) -> str:
    """Return a value as text, whatever it is."""
    try:
        text = str(value)
    except Exception:  # an object that fails to say what it is, or a number too long to print
        return f"an object of type {type(value).__name__} that cannot be shown"
    return text if len(text) <= longest else f"{text[:longest]}..."
