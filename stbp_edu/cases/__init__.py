"""The five cases, to be read: with indices, in vector form, and the sweep that applies them."""

from stbp_edu.cases import scalar, vector
from stbp_edu.cases.vector import (
    ABLATIONS,
    CASE_RULES,
    backward,
    backward_gate,
    case_at,
    sweep,
)

__all__ = [
    "ABLATIONS",
    "CASE_RULES",
    "backward",
    "backward_gate",
    "case_at",
    "scalar",
    "sweep",
    "vector",
]
