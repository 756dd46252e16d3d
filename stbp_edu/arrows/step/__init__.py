"""One time step of a layer as a program: forward, and back under a rule, as shown and run.

- ``step_functions``: a function of one step, its lines and the names in them;
- ``layer_program``: both functions of a layer, and what runs them needs to know;
- ``gain_lines``: the lines that hold the gains of a neuron;
- ``shown_program``: the programs of a network, and their text.
"""
