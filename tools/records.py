"""The records of docs/results, from which the pages on results and on speed are made."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

Record = Mapping[str, Any]
PLACE = Path(__file__).resolve().parents[1] / "docs" / "results"


def read() -> dict[str, Record]:
    """Return every record by its name without ``.json``."""
    return {p.stem: json.loads(p.read_text(encoding="utf-8")) for p in sorted(PLACE.glob("*.json"))}
