"""A neuron from its forward lines.

``text`` takes the lines apart, and ``reading`` makes ``expressions`` of each, of which nothing is
run; it says what to write where one is not understood. ``forward_lines`` knows what leads where,
``slopes`` differentiates, and ``program`` writes the neuron as Python, forward and back.
"""
