"""One time step of a layer as a program: forward, and back under a rule, as shown and run.

- ``step_functions``: a function of one step, its lines, and those that hold a gain;
- ``layer_program``: both functions of a layer, and what runs them needs to know;
- ``shown_program``: the programs of a network, and their text.
"""
