"""The proof: a neuron and its programs, judged by what knows nothing of them.

``of_neurons`` judges arrows, gradients and rules; ``of_programs`` each form that runs
(``program_forms``). Both draw the networks of ``drawn_runs``.
"""

from stbp_edu.proof.of_neurons import Proof, prove, to_terminal

__all__ = ["Proof", "prove", "to_terminal"]
