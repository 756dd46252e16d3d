"""Read the published records of measurements: the files of ``docs/results``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stbp_edu.files import read_json

Record = Mapping[str, Any]
FOLDER = Path(__file__).resolve().parents[2] / "docs" / "results"


def read_records() -> dict[str, Record]:
    """Return every published record by its name without ``.json``."""
    return {path.stem: read_json(path) for path in sorted(FOLDER.glob("*.json"))}
