"""Benchmarks: ratios measured in one run, and the records that the site's pages print.

- ``accuracy``: accuracies on MNIST and Fashion-MNIST; ``accuracy_plans.toml`` has the settings.
- ``arms``: any arm of the experiments on tasks of time, from the command line or a plan.
- ``trust_record``: what the proofs came to.
- ``frameworks/``: a training step beside its matrix products alone, and those of other frameworks.

The environment may force NumPy's matrix library to the kernels of an older processor. That slows
NumPy and no framework, so it is undone here, before NumPy is loaded.
"""

import os
import sys

FORCED = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")

for name in FORCED:
    if name in os.environ:
        print(f"{name}={os.environ.pop(name)} is left out here", file=sys.stderr)
