"""Formulas as text: read, differentiated, tidied, evaluated, and written as LaTeX and Python.

Expressions are Python's own syntax trees, of which nothing is run.

- ``operations``: each operation with its value, derivative and LaTeX, in one table;
- ``expressions``: what a tree is made of, its value, and its text as Python and as LaTeX;
- ``derivatives``: what its name says, and what is left of a sum or a product that is tidied;
- ``text``: the lines of a neuron read, and the error on one that is not understood;
- ``forward_lines``: what they say, and the arrows between its states.

>>> square = parse("u * u + exp(a)")
>>> python(derivative(square, "u")), float(evaluate(square, {"u": 3.0, "a": 0.0}))
('2 * u', 10.0)
"""

from stbp_edu.lines.derivatives import derivative, tidy
from stbp_edu.lines.expressions import evaluate, names_in, parse, python, replaced
from stbp_edu.lines.forward_lines import ForwardLines
from stbp_edu.lines.text import LineError, read_lines

__all__ = [
    "ForwardLines", "LineError", "derivative", "evaluate", "names_in", "parse", "python",
    "read_lines", "replaced", "tidy",
]  # fmt: skip
