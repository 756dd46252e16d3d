"""The five cases, to be read: with indices, in vector form, and the sweep that applies them."""

from stbp_edu.cases import scalar, vector
from stbp_edu.cases.vector import backward, case_at, sweep

__all__ = ["backward", "case_at", "scalar", "sweep", "vector"]
