"""Benchmarks run NumPy's matrix products with the kernels that NumPy itself would choose."""

import os
import subprocess
import sys

PROGRAM = "import os, benchmarks; print([*filter(os.environ.get, benchmarks.FORCED)])"


def test_forced_kernels_are_left_out_of_benchmarks_and_said():
    forced = {"OPENBLAS_CORETYPE": "Haswell", "OPENBLAS_L2_SIZE": "262144"}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={**os.environ, **forced},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "[]\n"
    assert "OPENBLAS_CORETYPE=Haswell is left out here" in done.stderr
