"""Oracles: three ways to the same derivatives that share no mathematics with what they judge.

``finite_difference`` nudges one number and looks at the loss; ``autodiff`` lets a program
apply the chain rule; ``paths`` sums the products along every path of the unrolled network.
``report`` runs them all on random networks and prints the verdicts.
"""
