"""What the pages of docs/ show: records of measurements, and drawings of the code."""

from collections.abc import Mapping
from typing import Any

from stbp_edu import plotting
from stbp_edu._support.files import read_json
from stbp_edu.training.measurements import measurements_folder

Record = Mapping[str, Any]


def read_records() -> dict[str, Record]:
    """Return every published record by its name without ``.json``."""
    return {
        path.stem: read_json(path)
        for path in sorted(measurements_folder().glob("*.json"))
    }


def processor(record: Record) -> str:
    """Return the short name of the processor that a record, or a run of one, was made on."""
    return str(
        record["machine"]["processor"].replace("(R)", "").removesuffix(" Processor")
    )


def figure_html(fig: Any, alt: str) -> str:
    """Return a figure as HTML, with the words that stand for it."""
    return f'<div class="stbp-figure">{plotting.show(fig, alt=alt).html()}</div>\n'
