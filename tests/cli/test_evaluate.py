from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from stbp_edu.cli.evaluate import describe
from stbp_edu.training.evaluation import Evaluation
from tests.cli.conftest import call


def test_eval_prints_mean_and_spread_and_what_is_mistaken(folder: Path, capsys) -> None:
    assert call("eval", folder / "exact", "--encodings", "4") == 0
    first = capsys.readouterr().out
    found = re.search(r"digits, exact: (\d+\.\d+)% ± (\d+\.\d+)% over 4 encodings of 359", first)
    assert found is not None
    record = json.loads((folder / "exact" / "record.json").read_text())
    assert float(found[1]) == pytest.approx(100 * record["accuracy"]["mean"], abs=6)
    assert re.search(r"Most often mistaken: \d for \d \(\d+\.\d an encoding\)", first)
    call("eval", folder / "exact", "--encodings", "4")
    assert capsys.readouterr().out == first
    call("eval", folder / "exact", "--encodings", "4", "--seed", "1")
    assert capsys.readouterr().out != first


def test_words_of_an_evaluation() -> None:
    table = np.array([[8, 2, 0], [0, 9, 1], [3, 0, 7]])
    record = {"dataset": "three", "settings": {"rule": "exact"}}
    words = describe(Evaluation((0.7, 0.9), table), record)
    assert "80.00% ± 14.14% over 2 encodings of 15 held-out images" in words
    assert "(from 70.00% to 90.00%)" in words
    assert "± 10.33%" in words  # √(0.8 · 0.2 / 15)
    assert "0 for 2 (1.5 an encoding), 1 for 0 (1.0 an encoding), 2 for 1 (0.5" in words
    perfect = describe(Evaluation((1.0,), np.eye(3, dtype=int)), record)
    assert "mistaken" not in perfect
