"""The same gradients in PyTorch: a layer as a module, for any neuron and every rule.

- ``currents``: what weights make of spikes, and which spikes they take.
- ``steps``, ``tensor_loops``, ``neurons``: the derived program of a neuron on tensors, also in
  loops, as a function of autograd.
- ``layers``, ``lif_network``: modules: a layer of neurons on any weights, and a network of them.
- ``state_dict``: parameters as NumPy has them, and back.
- ``rule_finder``: the gate and the rule of a network that is written in any framework.
- ``train``: a run in one process or in several, as a command.

Nothing below imports this package, so ``import stbp_edu`` needs only NumPy.
"""

try:
    import torch  # noqa: F401
except ModuleNotFoundError as error:
    raise ImportError("stbp_edu.torch needs PyTorch; run: pip install torch") from error

from stbp_edu.program import IN_PYTORCH
from stbp_edu.torch.layers import LIFLayer, detached
from stbp_edu.torch.lif_network import LIFNetwork, states_and_gradients
from stbp_edu.torch.rule_finder import SurrogateOf, which_rule
from stbp_edu.torch.state_dict import to_params, to_state

__all__ = [
    "LIFLayer",
    "LIFNetwork",
    "SurrogateOf",
    "detached",
    "to_params",
    "to_state",
    "which_rule",
]
IN_PYTORCH["in PyTorch"] = states_and_gradients
