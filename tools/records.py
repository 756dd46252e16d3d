"""The records of docs/results, from which the pages on results and on speed are made."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from stbp_edu.training.runs import measurements_folder

Record = Mapping[str, Any]
PLACE = measurements_folder()


def read() -> dict[str, Record]:
    """Return every record by its name without ``.json``."""
    return {p.stem: json.loads(p.read_text(encoding="utf-8")) for p in sorted(PLACE.glob("*.json"))}
