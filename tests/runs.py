"""Runs for tests to compare."""

from __future__ import annotations

from stbp_edu import Params
from stbp_edu.arrays import tensors
from stbp_edu.training import Dataset, Epoch, Settings, train


def final(settings: Settings, data: Dataset) -> Epoch:
    return [e for e in train(settings, data) if isinstance(e, Epoch)][-1]


def bits(params: Params) -> bytes:
    return b"".join(a.tobytes() for a in tensors(params).values())
