"""The table of the frameworks page that says what ran here, made from its published record.

``python -m tools.pages.frameworks_table`` prints it.
"""

from tools.pages.markdown_tables import table
from tools.pages.published_records import Record, read_records

RECORD = "framework-rules"
PLACEHOLDER = "[[what ran here]]"
TITLES = {
    "snntorch": "snnTorch", "spikingjelly": "SpikingJelly", "norse": "Norse", "torch": "PyTorch",
}  # fmt: skip
GATES = {"linear": "hard reset to zero", "soft": "soft reset"}


def fill(markdown: str) -> str:
    """Return the page with the table in its place."""
    return markdown.replace(PLACEHOLDER, section(read_records()[RECORD]))


def section(record: Record) -> str:
    """Return the table, and a sentence on the versions and how to repeat it."""
    rows = [
        [
            row["name"],
            GATES[row["gate"]],
            _said(row),
            f"*{row['dropped']}*" if row["dropped"] else "none",
        ]
        for row in record["rows"]
    ]
    head = (
        "neuron that ran",
        "arrows of",
        "its gradient keeps the words of",
        "shortest word dropped",
    )
    return f"{table(head, rows)}\n{_made_by(record)}\n"


def _said(row: Record) -> str:
    """Return the rules that a row equals, or what was found instead."""
    return " = ".join(f"`{rule}`" for rule in row["rules"]) or row["said"]


def _made_by(record: Record) -> str:
    """Return a sentence on versions and command."""
    versions: dict[str, str] = {}
    for row in record["rows"]:
        versions |= row["versions"]
    names = [
        f"{TITLES[key]} {versions[key].partition('+')[0]}" for key in TITLES if key in versions
    ]
    return (
        f"Made with {', '.join(names[:-1])} and {names[-1]} on a {record['sizes']} network for "
        f"{record['T']} steps, by `{record['command']}`."
    )


if __name__ == "__main__":
    print(section(read_records()[RECORD]))
