"""The trust page weighs the share of noticed changes by the size of each part of the program."""

import pytest

from tools.pages.page_names import trust, weighted_share


def test_a_part_counts_by_its_size_and_a_whole_one_has_no_sampling_error() -> None:
    whole = {"all": 50, "tried": 50, "noticed": 25}
    sample = {"all": 150, "tried": 20, "noticed": 0}
    share, low, high = weighted_share([whole, sample])
    assert share == pytest.approx(0.125)
    # Wilson's interval of 0 of 20 is 0 to 0.161
    assert low == pytest.approx(0.125)
    assert high == pytest.approx(0.125 + 0.75 * 0.161, abs=1e-3)
    assert weighted_share([]) is None


def test_the_published_share_is_computed_from_its_record() -> None:
    found = trust()
    assert found["weighted"] == weighted_share(found["score"]["strata"])
    assert [round(100 * end, 1) for end in found["weighted"]] == [86.1, 78.6, 91.2]
