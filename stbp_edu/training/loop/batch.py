"""What one training step saw, and how to sum it up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stbp_edu.checks import Array
from stbp_edu.losses import loss
from stbp_edu.network import Trace
from stbp_edu.training.sparsity.lit import LitPixels


@dataclass(frozen=True)
class Batch:
    """What one step saw, with images as it saw them: shifted, and nudged against the network.

    Attributes:
        size: images in the batch.
        loss: the loss before the update.
        right: images answered rightly.
        rates: mean firing rate of each layer 0..N.
        outputs: mean firing rate of each output neuron.
    """

    size: int
    loss: float
    right: int
    rates: tuple[float, ...]
    outputs: Array


def observe(trace: Trace, targets: Array, labels: NDArray[Any]) -> Batch:
    """Sum up a forward pass."""
    counts = trace.O[-1].mean(axis=0)
    return Batch(
        len(labels),
        loss(trace, targets),
        int((counts.argmax(axis=1) == labels).sum()),
        tuple(o.rate if isinstance(o, LitPixels) else _rate(o) for o in trace.O),
        counts.mean(axis=0),
    )


def merge(batches: Sequence[Batch]) -> Batch:
    """Join what the parts of a batch saw."""
    sizes = [b.size for b in batches]
    rates = np.average([b.rates for b in batches], axis=0, weights=sizes)
    return Batch(
        sum(sizes),
        float(np.average([b.loss for b in batches], weights=sizes)),
        sum(b.right for b in batches),
        tuple(float(r) for r in rates),
        np.average([b.outputs for b in batches], axis=0, weights=sizes),
    )


def _rate(o: Array) -> float:
    """Return the mean of all spikes, by a product: faster than adding them up."""
    rows = o.reshape(-1, o.shape[-1])
    return float((np.full(len(rows), 1 / len(rows), o.dtype) @ rows).mean())
