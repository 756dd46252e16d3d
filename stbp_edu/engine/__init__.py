"""The same mathematics as :mod:`stbp_edu.cases` at full speed.

- ``program``: a network of derived neurons under any rule, made of the two functions of a step;
  forward and backward of Part I, whose neurons are derived, too.
- ``passes``: both passes through the layers, one matrix product for all time steps of a layer; the
  linear maps between two layers: fully connected, convolution, average pooling.
- ``array_steps``: those functions on whole arrays, of NumPy or PyTorch; ``array_source`` writes
  them.
- ``compiled``: those functions in loops over samples, steps and spikes, and the threads in which
  these run; ``loop_source`` writes
  them, and ``loops`` has what they call.

Buffers that are used again: :class:`stbp_edu.arrays.Workspace`.
"""

from stbp_edu.arrays import Workspace
from stbp_edu.engine.program import Program, backward, forward

__all__ = ["Program", "Workspace", "backward", "forward"]
