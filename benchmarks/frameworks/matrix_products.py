"""The five matrix products of a step and nothing else."""

from __future__ import annotations

import numpy as np

from benchmarks.frameworks.candidate import Candidate
from benchmarks.frameworks.problem import Problem


def build(problem: Problem) -> Candidate:
    """Return the products, each for all steps at once, with as many threads as the BLAS takes."""
    x = problem.spikes.reshape(-1, problem.spikes.shape[2])
    _, W1, W2 = problem.params.W
    hidden, out = (np.zeros((len(x), len(W)), x.dtype) for W in (W1, W2))
    above, g1, g2 = np.empty_like(hidden), np.empty_like(W1), np.empty_like(W2)

    def step() -> None:
        np.matmul(x, W1.T, out=hidden)
        np.matmul(hidden, W2.T, out=out)
        np.matmul(out.T, hidden, out=g2)
        np.matmul(out, W2, out=above)
        np.matmul(above.T, x, out=g1)

    return Candidate(step)
