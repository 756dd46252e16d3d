"""The published records of measurements, and intervals of what they measured.

The records are in ``docs/results`` of a checkout, and come inside the wheel, so a page that
runs the package can read them, too.
"""

import math
import os
import platform
import re
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from importlib import metadata, resources
from pathlib import Path
from typing import Any

import numpy as np

import stbp_edu
from stbp_edu._support import checks
from stbp_edu._support.files import read_json
from stbp_edu.program.machine import blas_kernels

STUDENT = (
    *(12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228),
    *(2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093),
)
"""By degrees of freedom, from 1: the quantile of Student's t with 2.5 % on either side."""
NORMAL = 1.959964  # the same quantile of the normal distribution


def origin() -> dict[str, str]:
    """Return the date of a record, and the commit of the program that made it."""
    checkout = Path(str(resources.files("stbp_edu"))).parent
    commit = "unknown"
    if (checkout / ".git").exists():  # an installed package has no commit
        head = ["git", "rev-parse", "--short=10", "HEAD"]
        with suppress(OSError):  # without git
            found = subprocess.run(head, cwd=checkout, capture_output=True, text=True)
            commit = found.stdout.strip() or commit
    return {"commit": commit, "date": datetime.now(UTC).date().isoformat()}


def environment() -> dict[str, dict[str, str | int]]:
    """Return the machine and the versions of the software, for a record."""
    config: Any = np.show_config(mode="dicts")
    blas = config.get("Build Dependencies", {}).get("blas", {})
    processor = platform.processor() or platform.machine() or "unknown"
    with suppress(OSError):  # Linux knows more, unless it is forbidden to read
        cpus = Path("/proc/cpuinfo").read_text("utf-8", "replace")
        processor = (re.findall(r"^model name\s*: (.*)", cpus, re.M) or [processor])[0]
    return {
        "machine": {
            "processor": processor,
            "cores": os.cpu_count() or 1,
            "system": f"{platform.system()} {platform.machine()}",
            "byteorder": sys.byteorder,
            "kernels": blas_kernels(),
        },
        "versions": {
            "python": platform.python_version(),
            "numpy": np.__version__,
            "blas": f"{blas.get('name', 'unknown')} {blas.get('version', '')}".strip(),
            "numba": _version("numba"),
            "stbp-edu": stbp_edu.__version__,
        },
    }


def _version(package: str) -> str:
    """Return the version of a package; "none" where it is not installed."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "none"


def measurements_folder() -> Path:
    """Return the folder of the records: in a wheel the package's, in a checkout docs/results."""
    package = Path(str(resources.files("stbp_edu")))
    packaged = package / "results"
    return packaged if packaged.is_dir() else package.parent / "docs" / "results"


def load_measurement(name: str) -> dict[str, Any]:
    """Return a record: the measured rows, and with them the settings, seeds and versions.

    It also holds the command that made it.

    Raises:
        ValueError: if there is no record of this name.

    >>> load_measurement("ablations-digits")["command"]
    'python -m benchmarks.ablations'
    """
    folder = measurements_folder()
    checks.choice("name", name, sorted(path.stem for path in folder.glob("*.json")))
    return dict(read_json(folder / f"{name}.json"))


def half_width(values: Sequence[float]) -> float:
    """Return half the width of the 95 % interval of a mean of at least 2 values, by Student's t.

    It is what follows a ± wherever this package prints one.

    >>> round(half_width([1.0, 2.0, 3.0]), 2)
    2.48
    """
    freedom = len(values) - 1
    t = STUDENT[freedom - 1] if freedom <= len(STUDENT) else _quantile(freedom)
    return float(t * np.std(values, ddof=1) / np.sqrt(len(values)))


def _quantile(freedom: int) -> float:
    """Return the quantile of Student's t for many degrees of freedom, from the normal one."""
    z = NORMAL
    first = (z**3 + z) / 4
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    return z + first / freedom + second / freedom**2


def mean_share(shares: Sequence[float]) -> str:
    """Return the mean of shares in percent and, of several, half its 95 % interval.

    >>> mean_share([0.5, 0.6]), mean_share([0.5])
    ('55.00% ± 63.53%', '50.00%')
    """
    around = f" ± {half_width(shares):.2%}" if len(shares) > 1 else ""
    return f"{np.mean(shares):.2%}{around}"


def share_interval(k: int, n: int) -> tuple[float, float]:
    """Return the ends of Wilson's 95 % interval of a share, k of n.

    >>> [round(end, 2) for end in share_interval(0, 20)]
    [0.0, 0.16]
    """
    z, p = NORMAL, k / n
    scale = 1 + z * z / n
    middle = p + z * z / (2 * n)
    variance = p * (1 - p) / n + z * z / (4 * n * n)
    half = z * math.sqrt(variance)
    low = max(0.0, (middle - half) / scale)
    return low, (middle + half) / scale
