from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

import stbp_edu
from stbp_edu.cli.main import main, parse
from stbp_edu.cli.train import chosen_settings
from stbp_edu.files import load_params
from stbp_edu.training import RECIPES, Settings
from stbp_edu.training.runs import run as runs
from tests.cli.conftest import QUICK, call


def test_both_rules_are_trained_saved_and_printed(tmp_path: Path, capsys) -> None:
    assert call("train", "digits", "--out", tmp_path, "--seed", "3", *QUICK) == 0
    printed = capsys.readouterr().out
    for rule in ("exact", "classic"):
        record = json.loads((tmp_path / rule / "record.json").read_text())
        params = load_params(tmp_path / rule / "params.npz")
        assert params.sizes == (64, 30, 10)
        assert params.dtype == np.float32
        assert record["settings"]["rule"] == rule
        assert f"{record['accuracy']['mean']:.2%}" in printed
        assert sorted(p.name for p in (tmp_path / rule).iterdir()) == ["params.npz", "record.json"]
    assert "359 held-out images (test)" in printed
    assert set(record["settings"]) == {f.name for f in fields(Settings)}
    assert record["settings"]["seed"] == 3
    assert record["settings"]["lr"] == RECIPES["digits"].lr
    assert record["versions"]["numpy"] == np.__version__
    assert record["versions"]["stbp-edu"] == stbp_edu.__version__
    assert record["machine"]["processor"]
    assert [p["epoch"] for p in record["curves"]] == [1, 2]
    for p in record["curves"]:
        assert set(p) == {"epoch", "loss", "train", "held_out", "rates", "outputs", "seconds"}
        assert len(p["rates"]) == 3
    assert record["seconds"] == pytest.approx(sum(p["seconds"] for p in record["curves"]))
    assert record["accuracy"]["images"] == 359
    assert record["accuracy"]["mean"] == pytest.approx(np.mean(record["accuracy"]["encodings"]))


def test_convolutions_are_trained_and_read_as_papers_write_them(tmp_path: Path, capsys) -> None:
    quick = ["--hidden", "3C3,P2,12", "--encoder", "direct", "--epochs", "1", "--T", "2"]
    out = ["--rule", "exact", "--encodings", "1", "--batch", "300", "--out", str(tmp_path)]
    assert main(["train", "digits", *quick, *out]) == 0
    assert "8x8-3C3-P2-12-10" in capsys.readouterr().out
    assert main(["eval", str(tmp_path / "exact"), "--encodings", "1"]) == 0
    assert chosen_settings(parse(["train", "mnist-conv"])) == RECIPES["mnist-conv"]


def test_validation_does_not_touch_the_test_images(tmp_path: Path) -> None:
    call("train", "digits", "--out", tmp_path, "--rule", "classic", "--held-out", "validation",
         *QUICK)  # fmt: skip
    record = json.loads((tmp_path / "classic" / "record.json").read_text())
    assert record["held_out"] == "validation"
    assert record["accuracy"]["images"] == 287


def test_every_setting_is_an_option_and_the_recipe_the_default(capsys) -> None:
    assert chosen_settings(parse(["train", "digits"])) == RECIPES["digits"]
    found = chosen_settings(parse(["train", "digits", "--hidden", "30, 20", "--v-th", "1.5"]))
    assert (found.hidden, found.v_th) == ((30, 20), 1.5)
    assert main(["train", "digits", "--hidden", "wide"]) == 2
    assert "hidden must be made of parts such as 15C5" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        parse(["train", "--help"])
    usage = capsys.readouterr().out
    for f in fields(Settings):
        assert f"--{f.name.replace('_', '-')}" in usage


def test_ctrl_c_keeps_the_checkpoint_and_says_how_to_go_on(
    tmp_path: Path, capsys, monkeypatch
) -> None:
    argv = ["train", "digits", "--out", tmp_path, "--rule", "exact", *QUICK]
    saved = runs.save_checkpoint

    def save_and_stop(*args) -> None:
        saved(*args)
        raise KeyboardInterrupt

    monkeypatch.setattr(runs, "save_checkpoint", save_and_stop)
    assert main(list(map(str, argv))) == 130
    assert "--resume" in capsys.readouterr().err
    monkeypatch.undo()
    with pytest.raises(ValueError, match=r"unfinished run, 1 of 2 epochs done: --resume"):
        call(*argv)
    with pytest.raises(ValueError, match=r"belongs to a run with lr = 0\.004 \(now 0\.1\)"):
        call(*argv, "--resume", "--lr", "0.1")
    assert call(*argv, "--resume") == 0
    record = tmp_path / "exact" / "record.json"
    before = record.stat().st_mtime_ns
    assert call(*argv, "--resume") == 0  # done already: nothing is trained again
    assert record.stat().st_mtime_ns == before
    call("train", "digits", "--out", tmp_path / "whole", "--rule", "exact", *QUICK)
    resumed, whole = (tmp_path / "exact", tmp_path / "whole" / "exact")
    assert (resumed / "params.npz").read_bytes() == (whole / "params.npz").read_bytes()
    curves = [json.loads((p / "record.json").read_text())["curves"] for p in (resumed, whole)]
    for a, b in zip(*curves, strict=True):
        assert a | {"seconds": 0} == b | {"seconds": 0}


def test_a_number_that_is_needed_late_is_checked_at_once(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(runs, "train", None)
    with pytest.raises(ValueError, match="encodings must be >= 1, got 0"):
        call("train", "digits", "--out", tmp_path, "--encodings", "0")


def test_nothing_to_resume_is_told_and_one_encoding_has_no_spread(tmp_path: Path, capsys) -> None:
    argv = ["train", "digits", "--out", tmp_path, "--rule", "exact", *QUICK[:-1], "1", "--resume"]
    assert call(*argv) == 0
    told = capsys.readouterr()
    assert "holds no run to resume; this one begins anew" in told.err
    assert "±" not in told.out
    assert call(*argv) == 0
    assert "begins anew" not in capsys.readouterr().err


@pytest.mark.slow
def test_the_recipe_learns_the_digits_with_both_rules(tmp_path: Path) -> None:
    assert call("train", "digits", "--epochs", 25, "--out", tmp_path) == 0  # it has 60
    for rule in ("exact", "classic"):
        record = json.loads((tmp_path / rule / "record.json").read_text())
        assert record["accuracy"]["mean"] >= 0.97
