"""Which paths does a backward pass keep? The same answer for a function and for a network.

- ``classifier``: of a gradient function, the rule, or which words it keeps.
- ``asked_network``: of a network in any framework, asked for its outputs and gradients.
"""

from stbp_edu.arrows.finder.classifier import Verdict, classify

__all__ = ["Verdict", "classify"]
