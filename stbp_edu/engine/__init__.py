"""The same mathematics as :mod:`stbp_edu.cases` at full speed.

- ``products``: the passes through a network, one matrix product for all time steps of a layer.
- ``recurrence``: what runs step by step, elementwise.
- ``workspace``: buffers that are used again.
"""

from stbp_edu.engine.products import Engine, Input, backward, forward
from stbp_edu.engine.workspace import Workspace

__all__ = ["Engine", "Input", "Workspace", "backward", "forward"]
