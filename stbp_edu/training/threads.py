"""How many threads a run uses: one for matrix products, so that runs side by side give its bits."""

import sys
from contextlib import AbstractContextManager, nullcontext


def one_blas_thread() -> AbstractContextManager[object]:
    """Limit the BLAS to one thread; it has as many as before at the end."""
    if sys.platform == "emscripten":  # a web page has no threads, and no need of the library
        return nullcontext()
    from threadpoolctl import threadpool_limits

    return threadpool_limits(limits=1, user_api="blas")
