"""The ablations: every row is of runs that anybody can make, and what is done is done once."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks import ablations, accuracy
from stbp_edu.files import read_json, write_json
from stbp_edu.training import RECIPES, Epoch, Settings
from stbp_edu.training.data import load_dataset
from stbp_edu.training.diagnosis import diagnose_outputs
from stbp_edu.training.runs import RECORD, RunConfig, train_in_folder
from stbp_edu.training.runs import run as runs

pytestmark = pytest.mark.slow  # each trains a few networks
QUICK = {"hidden": (16,), "T": 3, "v_th": 0.75, "init_scale": 2.0, "batch": 50, "epochs": 2}
ROWS = {"classic": {"rule": "classic"}, "steep": {"optimizer": "sgd", "weight_decay": 1e38}}


@pytest.fixture
def call(monkeypatch, tmp_path: Path) -> Callable[..., dict]:
    """The script with quick variants."""
    monkeypatch.setattr(ablations, "BASE", QUICK)
    monkeypatch.setattr(ablations, "SEEDS", (0, 1))
    monkeypatch.setattr(ablations, "RATES", (1e-2, 3e-2))
    monkeypatch.setattr(accuracy, "processes", ThreadPoolExecutor)  # quicker to start

    def run(*names: str) -> dict:
        rows = [("a table", {"name": name}, ROWS[name]) for name in names]
        monkeypatch.setattr(ablations, "variants", lambda: iter(rows))
        words = ["--work", str(tmp_path / "work"), "--out", str(tmp_path), "--processes", "2"]
        assert ablations.main(words) == 0
        return read_json(tmp_path / ablations.NAME)

    return run


def alone(held_out: str, folder: Path, **changes: object) -> dict:
    """Train one run of the first row, with nothing of the script or of sweeps."""
    settings = replace(RECIPES["digits"], **QUICK, **ROWS["classic"], **changes)
    data = load_dataset("digits", held_out=held_out)
    config = RunConfig("digits", settings, data, folder, held_out)
    return train_in_folder(config, lambda events: (e for e in events if isinstance(e, Epoch)))


def test_a_row_is_of_runs_on_one_footing(call, tmp_path: Path) -> None:
    """The rate is the best on validation images; each seed is tested on the test images."""
    (row,) = call("classic")["rows"]
    for rate in (1e-2, 3e-2):
        tried = alone("validation", tmp_path / f"lr={rate}", lr=rate, seed=100)
        assert row["tuning"][str(rate)] == tried["accuracy"]["mean"]
    assert row["tuning"][str(row["lr"])] == max(row["tuning"].values())
    done = [alone("test", tmp_path / f"seed={s}", lr=row["lr"], seed=s) for s in (0, 1)]
    assert row["accuracy"]["seeds"] == [run["accuracy"]["mean"] for run in done]
    assert row["accuracy"]["mean"] == pytest.approx(np.mean(row["accuracy"]["seeds"]))
    ends = [run["curves"][-1] for run in done]
    advice = [diagnose_outputs(end["outputs"], end["loss"]) for end in ends]
    mute = [[a.where for a in found if a.kind == "silent"] for found in advice]
    assert [[f"output {k}" for k in silent] for silent in row["silent"]] == mute
    assert 0 < sum(map(len, mute)) < 20  # some, or the line above says little


def test_a_run_that_diverges_guesses_and_another_failure_ends_it_all(call, monkeypatch) -> None:
    _, row = call("classic", "steep")["rows"]
    assert set(row["tuning"].values()) == {0.1}
    assert row["accuracy"] == {"mean": 0.1, "spread": 0.0, "seeds": [0.1, 0.1]}

    def failing(*_: object) -> None:
        raise ValueError("it failed")

    monkeypatch.setattr(runs, "train", failing)
    with pytest.raises(SystemExit, match=r"steep/tuning/lr=0.01,seed=100: ValueError: it failed;"):
        call("steep")


def nobody(count: int) -> None:
    """Open no executor: nothing is to be trained."""
    raise AssertionError("somebody trains")


def test_what_is_done_is_not_done_again(call, monkeypatch, tmp_path: Path) -> None:
    first = call("classic")
    monkeypatch.setattr(accuracy, "processes", nobody)
    assert call("classic") == first
    (path,) = tmp_path.glob(f"work/*/*/test/seed=1/{RECORD}")
    found = read_json(path)
    found["versions"]["numpy"] = "1.0"
    write_json(path, found)
    with pytest.raises(SystemExit, match=r"seed=1 is of another machine or other versions"):
        call("classic")


def test_every_variant_has_a_folder_and_settings_of_its_own() -> None:
    shown = [(table, str(shown)) for table, shown, _ in ablations.variants()]
    settings = [
        replace(RECIPES["digits"], **{**ablations.BASE, **changes})
        for _, _, changes in ablations.variants()
    ]
    assert len(set(shown)) == len(set(settings)) == len(shown)


def test_widths_give_the_peak() -> None:
    for name in ("rectangle", "triangle", "sigmoid", "gaussian"):
        for w in (0.5, 1.0, 4.0):
            neuron = Settings(surrogate=name, a=float(ablations.width(name, w))).make_neuron()
            assert neuron.h(np.array([neuron.v_th]))[0] == pytest.approx(1 / w)
