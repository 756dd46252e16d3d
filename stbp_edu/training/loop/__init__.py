"""The training loop: state, steps, evaluation and diagnosis."""
