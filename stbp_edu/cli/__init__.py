"""The command ``stbp-edu``: ``main`` parses it, and has a table of the commands.

A command is a function of its arguments that returns the exit status; its docstring is what
``--help`` prints. Beside it a function whose name ends in ``_arguments`` adds its arguments.

- ``learn``: verify, check and progress.
- ``train``: train and eval.
- ``sweep``: the command of this name.
- ``teach``: assign and mistakes.
"""
