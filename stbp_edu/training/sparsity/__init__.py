"""Products over the pixels, neurons and samples that matter: the same gradient, for less work.

- ``sparse_input``: input that holds each image's active pixels alone.
- ``subnetworks``: the network of active pixels and of the neurons that dropout keeps.
"""

from stbp_edu.training.sparsity.sparse_input import SparseInput, is_sparse
from stbp_edu.training.sparsity.subnetworks import (
    Kept,
    active_pixels,
    draw_dropout,
    keeps_all,
    samples_with_error,
    scatter,
    select_samples,
    subnetwork,
)

__all__ = [
    "Kept",
    "SparseInput",
    "active_pixels",
    "draw_dropout",
    "is_sparse",
    "keeps_all",
    "samples_with_error",
    "scatter",
    "select_samples",
    "subnetwork",
]
