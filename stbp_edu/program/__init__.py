"""The program that is shown, run: forward and backward of a network, on arrays or in loops.

``program`` goes through the layers; :func:`stbp_edu.network` is the door. Between layers are
``weights``. The neurons of a layer run what ``derive(...).program(rule)`` shows: on arrays of NumPy
or tensors, by ``executor``, or ``in_loops`` that Numba compiles and keeps: ``loop_text`` writes
them, and they call ``loops``. Threads share the work, and memory is used again: ``machine``.
"""
