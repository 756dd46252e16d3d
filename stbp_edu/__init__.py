"""Learn spatio-temporal backpropagation by deriving it; trust it because it is checked five ways.

The rooms, in the order in which the course opens them:

- ``neuron``, ``surrogates``: the LIF neuron, and the curves for the slope of its spike;
- ``forward_pass``, ``parameters``, ``losses``: a network forward, what it learns, and its loss;
- ``cases``: the five cases, and which of their terms a rule keeps;
- ``verify``: the same numbers once more, by independent oracles, and the proof of any neuron;
- ``training``: runs on data, and ``program``, which makes them fast;
- ``lines``, ``arrows``, ``derived``: any neuron, from its forward lines, and any rule;
- ``networks``: all of this for your own loop: :func:`network`; ``torch``, ``nir``: elsewhere,
  and ``testing``, for the tests of others;
- ``practice``, ``explorers``, ``plotting``: exercises, and figures to play with or to look at;
- ``teaching``, ``cli``: for classes, and for the shell.
"""

import importlib
from typing import TYPE_CHECKING, Any

from stbp_edu import cases, losses
from stbp_edu.cases import backward
from stbp_edu.forward_pass import Trace, forward
from stbp_edu.losses import loss
from stbp_edu.neuron import LIF
from stbp_edu.parameters import (
    Gradients,
    Params,
    init_params,
    load_params,
    save_params,
)
from stbp_edu.surrogates import (
    ATan,
    FastSigmoid,
    Gaussian,
    Rectangle,
    Sigmoid,
    Surrogate,
    Triangle,
)

if TYPE_CHECKING:
    from stbp_edu.derived import derive
    from stbp_edu.networks import network

__version__ = "0.1.0"

__all__ = [
    "LIF", "ATan", "FastSigmoid", "Gaussian", "Gradients", "Params", "Rectangle", "Sigmoid",
    "Surrogate", "Trace", "Triangle", "backward", "cases", "derive", "forward", "init_params",
    "load_params", "loss", "losses", "network", "save_params",
]  # fmt: skip

LATER = {
    "derive": "derived",
    "network": "networks",
}
"""Functions that are loaded where they are used, with their modules."""


def __getattr__(name: str) -> Any:
    """Return a function that is loaded where it is used."""
    if name in LATER:
        return getattr(importlib.import_module(f"stbp_edu.{LATER[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """Return the public names, for completion."""
    return sorted({*globals(), *LATER})
