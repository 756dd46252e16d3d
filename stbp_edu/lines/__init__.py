"""A neuron's forward lines: from text to expressions, their derivatives, LaTeX and Python.

``text`` takes the lines apart, and ``reading`` makes ``expressions`` of each, of which nothing is
run; it says what to write where one is not understood. ``forward_lines`` knows what leads where,
and ``slopes`` differentiates.
"""
