"""Learn spatio-temporal backpropagation by deriving it, and trust it because it is proved."""

import importlib
from typing import Any

from stbp_edu import cases, losses
from stbp_edu.cases import backward
from stbp_edu.forward_pass import Gradients, Params, Trace, forward, init_params
from stbp_edu.losses import loss
from stbp_edu.neuron import LIF
from stbp_edu.surrogates import (
    ATan,
    FastSigmoid,
    Gaussian,
    Rectangle,
    Sigmoid,
    Surrogate,
    Triangle,
)

__version__ = "0.1.0"

__all__ = [
    "LIF", "ATan", "FastSigmoid", "Gaussian", "Gradients", "Params", "Rectangle", "Sigmoid",
    "Surrogate", "Trace", "Triangle", "backward", "cases", "derive", "forward", "init_params",
    "loss", "losses",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    """Return ``derive``, which is loaded where it is used: importing this package needs NumPy."""
    if name == "derive":
        return importlib.import_module("stbp_edu.derived").derive
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
