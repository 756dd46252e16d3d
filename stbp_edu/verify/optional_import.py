"""Import a library that only some of the oracles need, when it is needed."""

import importlib
from typing import Any


def require(module: str, purpose: str) -> Any:
    """Return a module of the extra ``verify``; the error says how to install it.

    Raises:
        ImportError: if the library is not installed.

    >>> require("no_such_library", "the example")
    Traceback (most recent call last):
    ImportError: the example needs no_such_library; run: pip install "stbp-edu[verify]"
    """
    library = module.partition(".")[0]
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != library:
            raise  # it is there, and something else is broken
        raise ImportError(
            f'{purpose} needs {library}; run: pip install "stbp-edu[verify]"'
        ) from error
