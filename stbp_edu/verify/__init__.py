"""Three oracles that compute the same derivatives and share no mathematics with what they check.

The oracles: ``finite_difference`` nudges one number and compares two losses; ``autodiff`` lets a
program apply the chain rule; ``paths`` sums the products along every path of the unrolled
network, which ``unrolled`` describes, and ``polynomials`` does so with symbols in place of numbers.

What they are used on: ``forms`` holds the package's own results, ``comparison`` compares them with
an oracle's, ``trials`` does so on random networks, and ``report`` prints the verdicts.
``coordinates`` names the quantities, and ``optional_import`` loads autograd and SymPy when needed.
"""
