from __future__ import annotations

from threadpoolctl import threadpool_info, threadpool_limits

from stbp_edu.training.parallel import one_blas_thread


def blas_threads() -> set[int]:
    return {i["num_threads"] for i in threadpool_info() if i["user_api"] == "blas"}


def test_the_blas_is_given_back() -> None:
    before = blas_threads()
    with threadpool_limits(limits=2, user_api="blas"):
        with one_blas_thread():
            assert blas_threads() == {1}
        assert blas_threads() == {2}
    assert blas_threads() == before
