"""The published records of long measurements, which the notebooks and the site's pages print.

They are in ``docs/results`` of a checkout, and come inside the wheel, so that a page that runs the
package can read them, too.
"""

from importlib import resources
from pathlib import Path
from typing import Any

from stbp_edu import checks
from stbp_edu.files import read_json

MEASUREMENTS = ("ablations-digits", "speed")
"""The records that the notebooks read."""


def measurements_folder() -> Path:
    """Return the folder of the records: in a wheel the package's, in a checkout docs/results."""
    package = Path(str(resources.files("stbp_edu")))
    packaged = package / "results"
    return packaged if packaged.is_dir() else package.parent / "docs" / "results"


def load_measurement(name: str) -> dict[str, Any]:
    """Return a record: the measured rows, and with them the settings, seeds and versions.

    Args:
        name: ``"ablations-digits"``, made by ``python -m benchmarks.ablations``, or ``"speed"``,
            made by ``python -m benchmarks.engine_speed``.

    Raises:
        ValueError: if there is no record of this name.

    >>> load_measurement("ablations-digits")["command"]
    'OMP_NUM_THREADS=1 python -m benchmarks.ablations'
    """
    checks.choice("name", name, MEASUREMENTS)
    return dict(read_json(measurements_folder() / f"{name}.json"))
