"""Loops run side by side, and what a thread meets is said to the caller."""

import numpy as np
import pytest

from stbp_edu.program.machine import limit_threads, run_in_parts


@pytest.fixture(autouse=True)
def _as_many_threads_as_processors():
    """Begin and end without a limit, which a plan that ran before may have set."""
    limit_threads(0)
    yield
    limit_threads(0)


@pytest.mark.parametrize("failing", [0, 5, 9])
def test_an_error_in_any_part_reaches_the_caller(failing):
    """And the threads go on to take calls."""
    limit_threads(3)
    done = []

    def loop(first, last, fail):
        for k in range(first, last):
            if k == fail:
                raise ValueError(f"at {k}")
            done.append(k)

    with pytest.raises(ValueError, match=f"at {failing}"):
        run_in_parts(loop, 10, 1e9, failing)
    done.clear()
    run_in_parts(loop, 10, 1e9, None)
    assert sorted(done) == list(range(10))


def test_parts_run_under_the_settings_of_the_caller():
    limit_threads(3)
    seen = []
    with np.errstate(divide="raise"):
        run_in_parts(lambda *_: seen.append(np.geterr()["divide"]), 3, 1e9)
    assert seen == ["raise"] * 3
