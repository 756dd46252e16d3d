"""The same mathematics as :mod:`stbp_edu.cases` at full speed.

- ``products``: the matrix products, one for all time steps of a layer.
- ``recurrence``: what goes step by step, elementwise.
- ``workspace``: buffers that are used again.
"""

from stbp_edu.engine.products import Input, backward, forward, run, run_back, run_to_input
from stbp_edu.engine.workspace import Workspace

__all__ = ["Input", "Workspace", "backward", "forward", "run", "run_back", "run_to_input"]
