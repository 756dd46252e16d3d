"""Records of measurements: what each says of the machine, and the published ones.

These are in ``docs/results`` of a checkout, and come inside the wheel, so that a page that runs
the package can read them, too. The notebooks and the site's pages print them.
"""

import os
import platform
import sys
from contextlib import suppress
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

import stbp_edu
from stbp_edu import checks
from stbp_edu.files import read_json

MEASUREMENTS = (
    "ablations-digits",
    "mnist-rules",
    "speed",
    "time-silence",
    "time-tau",
    "time-width",
    "two-processes",
)
"""The records that the notebooks read."""


def environment() -> dict[str, dict[str, str | int]]:
    """Return what a record says of the machine, and of the versions of the software."""
    config: Any = np.show_config(mode="dicts")
    blas = config.get("Build Dependencies", {}).get("blas", {})
    return {
        "machine": {
            "processor": _processor(),
            "cores": os.cpu_count() or 1,
            "system": f"{platform.system()} {platform.machine()}",
            "byteorder": sys.byteorder,
        },
        "versions": {
            "python": platform.python_version(),
            "numpy": np.__version__,
            "blas": f"{blas.get('name', 'unknown')} {blas.get('version', '')}".strip(),
            "stbp-edu": stbp_edu.__version__,
        },
    }


def _processor() -> str:
    """Return the processor's name as far as the system tells it."""
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine() or "unknown"


def measurements_folder() -> Path:
    """Return the folder of the records: in a wheel the package's, in a checkout docs/results."""
    package = Path(str(resources.files("stbp_edu")))
    packaged = package / "results"
    return packaged if packaged.is_dir() else package.parent / "docs" / "results"


def load_measurement(name: str) -> dict[str, Any]:
    """Return a record: the measured rows, and with them the settings, seeds and versions.

    It also holds the command that made it. ``name`` is one of ``MEASUREMENTS``.

    Raises:
        ValueError: if there is no record of this name.

    >>> load_measurement("ablations-digits")["command"]
    'python -m benchmarks.ablations'
    """
    checks.choice("name", name, MEASUREMENTS)
    return dict(read_json(measurements_folder() / f"{name}.json"))
