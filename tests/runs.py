"""Runs for tests to compare."""

from stbp_edu import Params
from stbp_edu.parameters import named_arrays
from stbp_edu.training import Dataset, Epoch, Settings, State, train


def epochs(
    settings: Settings, data: Dataset, state: State | None = None
) -> list[Epoch]:
    return [e for e in train(settings, data, state) if isinstance(e, Epoch)]


def bits(params: Params) -> bytes:
    return b"".join(a.tobytes() for a in named_arrays(params).values())
