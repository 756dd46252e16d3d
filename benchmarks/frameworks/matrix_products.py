"""The five matrix products of a step and nothing else."""

from benchmarks.engine_speed import products
from benchmarks.frameworks.candidate import Candidate
from benchmarks.frameworks.problem import Problem


def build(problem: Problem) -> Candidate:
    """Return the products, each for all steps at once, with as many threads as the BLAS takes."""
    return Candidate(products(problem.spikes, problem.params))
