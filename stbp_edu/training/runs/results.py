"""Records of long measurements, such as the notebooks and the site's pages print.

They are in ``docs/results`` of a checkout, and come inside the wheel, so that a page that runs the
package can read them, too.
"""

from __future__ import annotations

import json
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from stbp_edu import checks

RESULTS = ("ablations-digits", "speed")


def load(name: str) -> dict[str, Any]:
    """Return a record: the measured rows, and with them the settings, seeds and versions.

    Args:
        name: ``"ablations-digits"``, made by ``python -m benchmarks.ablations``, or ``"speed"``,
            made by ``python -m benchmarks.engine_speed``.

    Raises:
        ValueError: if there is no record of this name.

    >>> load("ablations-digits")["command"]
    'OMP_NUM_THREADS=1 python -m benchmarks.ablations'
    """
    checks.choice("name", name, RESULTS)
    record: dict[str, Any] = json.loads((_folder() / f"{name}.json").read_text(encoding="utf-8"))
    return record


def _folder() -> Traversable:
    """Return where the records are: in a wheel the package's, in a checkout docs/results."""
    root = resources.files("stbp_edu")
    packaged = root / "results"
    return packaged if packaged.is_dir() else Path(str(root)).parent / "docs" / "results"
