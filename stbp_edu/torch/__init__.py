"""The same gradients in PyTorch: the layer as a module, for every rule, gate and surrogate.

- ``recurrence``: the neurons of a layer as a ``torch.autograd.Function``.
- ``layers``: modules: a layer of neurons on any weights, and a network of such layers, with its
  parameters from :class:`stbp_edu.Params` and back.
- ``rule_finder``: the gate and the rule of a network that is written in any framework.
- ``distributed``, ``train``: a run in one process or in several, as a command.

Nothing below imports this package, so that ``import stbp_edu`` needs NumPy alone. It comes with
``pip install 'stbp-edu[torch]'``.
"""

from stbp_edu.torch.layers import LIFLayer, LIFNetwork, to_params, to_state
from stbp_edu.torch.recurrence import lif
from stbp_edu.torch.rule_finder import which_rule

__all__ = ["LIFLayer", "LIFNetwork", "lif", "to_params", "to_state", "which_rule"]
