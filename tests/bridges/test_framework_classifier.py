"""What each framework's gradients keep, asked anew, is what the record says."""

import json

import pytest

from benchmarks.frameworks import classify

ROWS = {row["name"]: row for row in json.loads(classify.RECORD.read_text("utf-8"))["rows"]}


@pytest.mark.parametrize("tried", classify.TRIED, ids=lambda tried: tried.name)
@pytest.mark.filterwarnings("ignore")  # theirs
def test_a_framework_keeps_what_the_record_says(tried):
    row = classify.found(tried)
    assert {k: row[k] for k in ("rules", "dropped")} == {
        k: ROWS[tried.name][k] for k in ("rules", "dropped")
    }
