"""Learn spatio-temporal backpropagation by deriving it, and trust it because it is proved."""

from typing import TYPE_CHECKING, Any

from stbp_edu import cases, losses
from stbp_edu.engine.products import backward, forward
from stbp_edu.losses import loss
from stbp_edu.network import Gradients, Params, Trace, init_params
from stbp_edu.neuron import LIF
from stbp_edu.surrogates import Gaussian, Rectangle, Sigmoid, Surrogate, Triangle

if TYPE_CHECKING:
    from stbp_edu.derived import derive

__version__ = "0.1.0"

__all__ = [
    "LIF",
    "Gaussian",
    "Gradients",
    "Params",
    "Rectangle",
    "Sigmoid",
    "Surrogate",
    "Trace",
    "Triangle",
    "backward",
    "cases",
    "derive",
    "forward",
    "init_params",
    "loss",
    "losses",
]


def __getattr__(name: str) -> Any:
    """Return ``derive``, which is loaded where it is used."""
    if name == "derive":
        from stbp_edu.derived import derive

        return derive
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
