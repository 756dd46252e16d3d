"""Runs for tests to compare."""

from stbp_edu.parameters import named_arrays
from stbp_edu.training import Epoch, train


def epochs(settings, data, state=None):
    return [e for e in train(settings, data, state) if isinstance(e, Epoch)]


def bits(params):
    return b"".join(a.tobytes() for a in named_arrays(params).values())
