"""Oracles that compute the same numbers again and share no backward code with what they check.

For the adjoints: ``finite_difference`` nudges one number and compares two losses; ``autodiff`` lets
a program apply the chain rule; both run a neuron's lines by ``runs``. ``paths`` sums the products
along every path of the graph of :mod:`stbp_edu.arrows`, and ``polynomials`` does so with letters in
place of numbers. They take H, g and h, or h, f and f' from the package; these, and the values of
the losses, ``formulas`` checks.

``comparison`` holds results against an oracle's. ``report`` does so for every form of the five
cases on random networks, and has the verdicts. ``proof`` judges any neuron on networks that
``runs`` draws: its arrows, its gradients, and every form of its programs (``proved_programs``).
"""
