"""Read the published records of measurements: the files of ``docs/results``."""

from collections.abc import Mapping
from typing import Any

from stbp_edu.files import read_json
from stbp_edu.training.runs import measurements_folder

Record = Mapping[str, Any]
FOLDER = measurements_folder()


def read_records() -> dict[str, Record]:
    """Return every published record by its name without ``.json``."""
    return {path.stem: read_json(path) for path in sorted(FOLDER.glob("*.json"))}
