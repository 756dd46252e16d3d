"""A neuron from its forward lines.

``reading`` makes ``expressions`` of text, of which nothing is run; ``forward_lines`` knows which
values are new and which are old; ``slopes`` differentiates, and ``from_lines`` makes the table of
arrows; ``program`` writes the neuron as Python, forward and back.
"""
