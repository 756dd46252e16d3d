"""Loss, accuracy and firing rates of the images that training steps saw."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from stbp_edu.checks import Array
from stbp_edu.engine import SparseInput
from stbp_edu.losses import loss
from stbp_edu.network import Trace


@dataclass(frozen=True)
class BatchStatistics:
    """Means over images as the steps saw them: shifted, and moved by FGSM.

    Attributes:
        size: number of images.
        loss: the loss before the update.
        right: number of images answered correctly.
        rates: mean firing rate of each layer 0..N.
        outputs: mean firing rate of each output neuron.
    """

    size: int
    loss: float
    right: int
    rates: tuple[float, ...]
    outputs: Array

    @property
    def accuracy(self) -> float:
        """Share of images answered correctly."""
        return self.right / self.size


def observe(trace: Trace, targets: Array) -> BatchStatistics:
    """Return the statistics of a forward pass."""
    rates = trace.O[-1].mean(axis=0)
    return BatchStatistics(
        len(targets),
        loss(trace, targets),
        int((rates.argmax(axis=1) == targets.argmax(axis=1)).sum()),
        tuple(o.rate if isinstance(o, SparseInput) else _rate(o) for o in trace.O),
        rates.mean(axis=0),
    )


def merge(batches: Sequence[BatchStatistics]) -> BatchStatistics:
    """Return the statistics of several batches, or shards of one, taken together."""
    sizes = [b.size for b in batches]
    loss, rates, outputs = (
        np.average([getattr(b, name) for b in batches], axis=0, weights=sizes)
        for name in ("loss", "rates", "outputs")
    )
    right = sum(b.right for b in batches)
    return BatchStatistics(sum(sizes), float(loss), right, tuple(rates.tolist()), outputs)


def _rate(o: Array) -> float:
    """Return the mean of all spikes, by a product: faster than adding them up."""
    rows = o.reshape(-1, o.shape[-1])
    return float((np.full(len(rows), 1 / len(rows), o.dtype) @ rows).mean())
