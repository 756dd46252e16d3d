"""The weight arrow of a layer as a linear map: fully connected, convolution, average pooling.

Each takes arrays (T, S, m) and writes to one: ``forward`` carries spikes up, ``transpose`` carries
errors down, and ``gradient`` is the sum over all arrows that share a weight.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import numpy as np

from stbp_edu.arrays import Workspace
from stbp_edu.checks import Array
from stbp_edu.convolution import AnyParams
from stbp_edu.engine.images import Convolution, Pooled, flat
from stbp_edu.engine.sparse_input import SparseInput
from stbp_edu.network import Params


class Link(Protocol):
    """What leads from one layer to the next."""

    def forward(self, below: Any, out: Array) -> None:
        """Write W o to ``out``."""

    def transpose(self, signal: Array, out: Array) -> None:
        """Write Wᵀ err to ``out``."""

    def gradient(self, epsilon: Array, below: Any, out: Array) -> None:
        """Write ∂L/∂W to ``out``."""


def link(params: AnyParams, n: int, work: Workspace) -> Link:
    """Return the map from layer n - 1 to layer n."""
    if isinstance(params, Params):
        return Dense(params.W[n])
    layer, W = params.layers[n - 1], params.W[n]
    weights = Convolution(W, layer, partial(_buffer, work, n, W)) if layer.kernel else Dense(W)
    return Pooled(weights, layer, partial(_buffer, work, n, W)) if layer.pool > 1 else weights


def shown(below: Any) -> Any:
    """Return what a layer reads; one step of it where all steps are the same memory."""
    return below[:1] if isinstance(below, np.ndarray) and below.strides[0] == 0 else below


def by_channel(a: Any, b: Array) -> Any:
    """Return (T, S, m) as (T, S · positions, channels), without a copy: as the biases b meet it."""
    return a if a is None else a.reshape(len(a), -1, len(b))


def _buffer(work: Workspace, n: int, W: Array, name: str, shape: tuple[int, ...]) -> Array:
    """Return a buffer of a layer."""
    return work.array(name, n, shape, W.dtype)


@dataclass(frozen=True)
class Dense:
    """A fully connected layer: one product for all steps and samples."""

    W: Array

    def forward(self, below: Array | SparseInput, out: Array) -> None:
        """Write W o, for every step and sample."""
        if isinstance(below, SparseInput):
            below.weigh(self.W, out)
        else:
            np.matmul(flat(below), self.W.T, out=flat(out))  # fwd-x

    def transpose(self, signal: Array, out: Array) -> None:
        """Write Wᵀ err."""
        np.matmul(flat(signal), self.W, out=flat(out))

    def gradient(self, epsilon: Array, below: Array | SparseInput, out: Array) -> None:
        """Write Σ ε oᵀ over steps and samples."""
        if isinstance(below, SparseInput):
            below.correlate(epsilon, out)
        else:
            np.matmul(flat(epsilon).T, flat(below), out=out)  # c5-w
