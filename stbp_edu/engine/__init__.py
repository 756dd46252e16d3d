"""The same mathematics as :mod:`stbp_edu.cases` at full speed.

- ``products``: the passes through a network, one matrix product for all time steps of a layer.
- ``weights``: the linear map between two layers: fully connected, convolution, average pooling.

- ``program``: the same for any derived neuron and any rule, made of the two functions of a step.
- ``array_steps``: those functions on whole arrays; ``array_source`` writes them, and
  ``linear_steps``, which the bridge to PyTorch shares, runs them.
- ``compiled``: those functions in loops over samples, steps and spikes; ``loop_source`` and
  ``curve_source`` write them, ``loops`` has what they call, and ``threads`` shares them out.

Buffers that are used again: :class:`stbp_edu.arrays.Workspace`.
"""

from stbp_edu.arrays import Workspace
from stbp_edu.engine.products import Engine, backward, forward
from stbp_edu.engine.program import Program

__all__ = ["Engine", "Program", "Workspace", "backward", "forward"]
