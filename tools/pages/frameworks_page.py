"""The table of the frameworks page that says what ran here, made from its published record.

``python -m tools.pages.frameworks_page`` prints it.
"""

from pathlib import Path

from tools.pages.records import Record, read_records
from tools.templates import filled

RECORD = "framework-rules"
TEMPLATE = Path(__file__).with_name("templates") / "what-ran.md"
PLACEHOLDER = "[[what ran here]]"
TITLES = {
    "snntorch": "snnTorch", "spikingjelly": "SpikingJelly", "norse": "Norse", "torch": "PyTorch",
}  # fmt: skip


def fill(markdown: str) -> str:
    """Return the page with the table in its place."""
    return markdown.replace(PLACEHOLDER, section(read_records()[RECORD]))


def section(record: Record) -> str:
    """Return the table, and a sentence on the versions and how to repeat it."""
    found = {package: v for row in record["rows"] for package, v in row["versions"].items()}
    versions = [(TITLES[k], found[k].partition("+")[0]) for k in TITLES if k in found]
    return filled(TEMPLATE, record=record, versions=versions)


if __name__ == "__main__":
    print(section(read_records()[RECORD]))
