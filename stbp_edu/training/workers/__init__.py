"""A pool of worker processes that share arrays.

- ``pool``: the pool, which has a job done in parts.
- ``process``: one worker process, and the memory that it shares with the others.
"""

from stbp_edu.training.workers.pool import WorkerPool, worker_pool
from stbp_edu.training.workers.process import one_blas_thread

__all__ = ["WorkerPool", "one_blas_thread", "worker_pool"]
