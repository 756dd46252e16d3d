"""The same mathematics as :mod:`stbp_edu.cases` at full speed, for a network of derived neurons.

``program`` has the network and the rule; :func:`stbp_edu.network` calls it. ``passes`` goes through
the layers, by the linear maps between them; ``convolution`` has those of images. The neurons of a
layer run the program that ``derive(...).program(rule)`` shows: on whole arrays of NumPy
(``array_steps``) or PyTorch, which ``array_program`` makes quick, or in compiled loops over
samples, steps and spikes (``compiled``; ``loop_source`` writes them, and they call ``loops``).
"""

from stbp_edu.engine.program import Program as Program  # behind stbp_edu.network
from stbp_edu.engine.workspace import Workspace

__all__ = ["Workspace"]
