"""The same mathematics as :mod:`stbp_edu.cases` at full speed.

- ``products``: the passes through a network, one matrix product for all time steps of a layer.
- ``recurrence``: what runs step by step, elementwise.

Buffers that are used again: :class:`stbp_edu.arrays.Workspace`.
"""

from stbp_edu.arrays import Workspace
from stbp_edu.engine.products import Engine, Input, backward, forward

__all__ = ["Engine", "Input", "Workspace", "backward", "forward"]
