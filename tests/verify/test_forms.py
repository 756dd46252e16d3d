"""Each equation of the five cases: proved by every oracle, and a wrong one rejected by each."""

import pytest

from tests.verify.proofs import assert_kept, assert_proved, assert_rejected

pytestmark = pytest.mark.slow  # each wrong form meets every oracle


def test_c1_delta_is_proved():
    assert_proved("c1-delta")


def test_c1_epsilon_is_proved():
    assert_proved("c1-epsilon")


def test_c2_delta_is_proved():
    assert_proved("c2-delta")


def test_c2_epsilon_is_proved():
    assert_proved("c2-epsilon")


def test_c3_delta_is_proved():
    assert_proved("c3-delta")


def test_c3_epsilon_is_proved():
    assert_proved("c3-epsilon")


def test_c4_delta_is_proved():
    assert_proved("c4-delta")


def test_c4_epsilon_is_proved():
    assert_proved("c4-epsilon")


def test_c2_delta_classic_loses_no_path():
    assert assert_kept("c2-delta-classic") == 0


def test_c3_delta_classic_loses_the_paths_that_are_carried_on():
    assert assert_kept("c3-delta-classic") > 0


def test_c4_delta_classic_loses_the_paths_that_are_carried_on():
    assert assert_kept("c4-delta-classic") > 0


def test_c5_b_is_proved():
    assert_proved("c5-b")


def test_c5_w_is_proved():
    assert_proved("c5-w")


def test_c1_delta_without_one_over_t_is_rejected(monkeypatch):
    def wrong(y, o, S):
        return -(y - sum(o) / len(o)) / S

    def wrong_on_arrays(Y, O):
        return -(Y - O.mean(axis=0)) / len(Y)

    assert_rejected("c1-delta", monkeypatch, wrong, wrong_on_arrays)


def test_c1_epsilon_without_the_surrogate_is_rejected(monkeypatch):
    assert_rejected("c1-epsilon", monkeypatch, lambda delta, h: delta)


def test_c2_delta_with_the_weights_reversed_is_rejected(monkeypatch):
    def wrong(err_above, w_to):
        return sum(e * w for e, w in zip(err_above, w_to[::-1], strict=True))

    def wrong_on_arrays(err_above, W_above):
        return err_above @ W_above[::-1]

    assert_rejected("c2-delta", monkeypatch, wrong, wrong_on_arrays)


def test_c2_epsilon_with_the_surrogate_twice_is_rejected(monkeypatch):
    assert_rejected("c2-epsilon", monkeypatch, lambda delta, h: delta * h * h)


def test_c3_delta_without_the_path_through_time_is_rejected(monkeypatch):
    assert_rejected("c3-delta", monkeypatch, lambda last, err_next, u, df: last)


def test_c3_epsilon_without_the_carry_is_rejected(monkeypatch):
    assert_rejected("c3-epsilon", monkeypatch, lambda delta, h, epsilon_next, f: delta * h)


def test_c4_delta_without_the_path_through_time_is_rejected(monkeypatch):
    def wrong(err_above, w_to, err_next, u, df):
        return sum(e * w for e, w in zip(err_above, w_to, strict=True))

    def wrong_on_arrays(err_above, W_above, err_next, U, df):
        return err_above @ W_above

    assert_rejected("c4-delta", monkeypatch, wrong, wrong_on_arrays)


def test_c4_epsilon_without_the_carry_is_rejected(monkeypatch):
    assert_rejected("c4-epsilon", monkeypatch, lambda delta, h, epsilon_next, f: delta * h)


def test_c5_b_of_the_last_step_alone_is_rejected(monkeypatch):
    assert_rejected("c5-b", monkeypatch, lambda epsilon: epsilon[-1], lambda e: e[-1].sum(axis=0))


def test_c5_w_with_the_inputs_in_reverse_is_rejected(monkeypatch):
    def wrong(epsilon, o_below):
        return sum(e * o for e, o in zip(epsilon, o_below[::-1], strict=True))

    def wrong_on_arrays(epsilon, O_below):
        return (epsilon.swapaxes(1, 2) @ O_below[::-1]).sum(axis=0)

    assert_rejected("c5-w", monkeypatch, wrong, wrong_on_arrays)
