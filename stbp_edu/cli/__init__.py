"""The command ``stbp-edu``: ``main`` parses it, and each command has a module of its own.

A module of a command has ``add_arguments(parser)`` and ``run(args)``, which returns the exit
status; its docstring is what ``--help`` prints. ``messages`` is what they share.
"""
