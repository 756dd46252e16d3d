"""The rules that a commit keeps, as the hooks of ``.pre-commit-config.yaml`` check them.

``python -m tools.commit_rules message FILE`` checks a commit message,
``python -m tools.commit_rules files FILES`` the files of a commit.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

SUBJECT = 72  # characters
LARGEST = 2_000_000  # bytes
NOT_IMPERATIVE = re.compile(
    r"(?:The|A|An|It|This|We|I|Some|All|Each|\d\S*)\b|\w+(?<!e)ed\b|\w+ing\b|\w{3,}(?<!s)s\b"
)
IMPERATIVE = {"Embed", "Shed", "Bring", "String", "Focus"}
BINARY = {".npz", ".png", ".ico", ".woff2", ".gz"}


def message_faults(message: str) -> Iterator[str]:
    """Yield what is wrong with a commit message.

    >>> list(message_faults("Added a test."))
    ['begin with a verb in the imperative ("Add"), not with "Added"', 'end without a full stop']
    """
    lines = [line for line in message.splitlines() if not line.startswith("#")]
    subject = lines[0] if lines else ""
    if subject.startswith(("Merge ", "Revert ", "fixup! ", "squash! ")):
        return
    first = subject.partition(" ")[0]
    if not subject.strip():
        yield "the first line must say what the commit does"
    if len(subject) > SUBJECT:
        yield f"the first line must have at most {SUBJECT} characters, got {len(subject)}"
    if first not in IMPERATIVE and NOT_IMPERATIVE.match(first):
        yield f'begin with a verb in the imperative ("Add"), not with "{first}"'
    if subject.endswith("."):
        yield "end without a full stop"
    if len(lines) > 1 and lines[1].strip():
        yield "leave the second line empty; the reason for the change follows below it"


def file_faults(path: Path) -> Iterator[str]:
    """Yield what is wrong with a file: too large, or no newline at its end."""
    content = path.read_bytes()
    if len(content) > LARGEST:
        yield f"{path} has {len(content):,} bytes; at most {LARGEST:,}"
    if content and path.suffix not in BINARY and not content.endswith(b"\n"):
        yield f"{path} must end with a newline"


def main(arguments: list[str]) -> int:
    """Print every fault, and return whether there is one."""
    what, *paths = arguments
    check = {
        "message": lambda path: message_faults(path.read_text(encoding="utf-8")),
        "files": file_faults,
    }[what]
    faults = [fault for path in paths for fault in check(Path(path))]
    print("\n".join(faults), file=sys.stderr, end="\n" if faults else "")
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
