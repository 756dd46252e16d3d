from __future__ import annotations

import time

import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from stbp_edu.engine import Workspace
from stbp_edu.training.parallel import Team, one_blas_thread


def blas_threads() -> set[int]:
    return {i["num_threads"] for i in threadpool_info() if i["user_api"] == "blas"}


def test_parts_come_back_in_order_and_a_failure_leaves_nobody_working() -> None:
    crew = Team(5)
    assert crew.map(lambda i, _: i * i) == [0, 1, 4, 9, 16]
    working: set[int] = set()

    def part(i: int, _: Workspace) -> None:
        working.add(i)
        if i == 0:
            raise ValueError("no")
        time.sleep(0.05)
        working.discard(i)

    with pytest.raises(ValueError, match="no"):
        crew.map(part)
    assert working == {0}
    crew.close()


def test_the_blas_is_given_back() -> None:
    before = blas_threads()
    with threadpool_limits(limits=2, user_api="blas"):
        with one_blas_thread():
            assert blas_threads() == {1}
        assert blas_threads() == {2}
    assert blas_threads() == before
