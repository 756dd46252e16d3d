"""The command that trains: what it takes, saves, prints and shows."""

import json
from dataclasses import fields, replace

import numpy as np
import pytest

import stbp_edu
from stbp_edu.cli.main import main, parse
from stbp_edu.cli.train import chosen_settings, watch
from stbp_edu.training import (
    RECIPES,
    Epoch,
    Settings,
    load_digits,
    runs,
    train,
)
from tests.cli.conftest import QUICK, call


def test_both_rules_are_trained_saved_and_printed(tmp_path, capsys):
    assert call("train", "digits", "--out", tmp_path, "--seed", "3", *QUICK) == 0
    printed = capsys.readouterr().out
    assert "359 held-out images (test)" in printed
    for rule in ("exact", "classic"):
        assert sorted(p.name for p in (tmp_path / rule).iterdir()) == [
            "params.npz", "record.json",
        ]  # fmt: skip
        run = runs.open_run(tmp_path / rule)
        assert (run.params.sizes, run.params.dtype) == ((64, 30, 10), np.float32)
        changes = {"rule": rule, "seed": 3, "hidden": (30,), "T": 4, "batch": 100}
        assert run.settings == replace(RECIPES["digits"], epochs=2, **changes)
        record, accuracy = run.record, run.record["accuracy"]
        assert f"{accuracy['mean']:.2%}" in printed
        assert record["versions"]["stbp-edu"] == stbp_edu.__version__
        assert {"commit", "date", "machine"} <= set(record)
        assert [p["epoch"] for p in record["curves"]] == [1, 2]
        assert all(len(p["rates"]) == 3 and "held_out" in p for p in record["curves"])
        assert accuracy["images"] == 359
        assert accuracy["mean"] == pytest.approx(np.mean(accuracy["encodings"]))


def test_every_setting_is_an_option_and_the_recipe_the_default(capsys):
    assert chosen_settings(parse(["train", "mnist-conv"])) == RECIPES["mnist-conv"]
    found = chosen_settings(
        parse(["train", "digits", "--hidden", "30, 20", "--v-th", "1.5"])
    )
    assert found == replace(RECIPES["digits"], hidden=(30, 20), v_th=1.5)
    assert main(["train", "digits", "--hidden", "wide"]) == 2
    assert "hidden must be made of parts" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        parse(["train", "--help"])
    usage = capsys.readouterr().out
    for f in fields(Settings):
        assert f"--{f.name.replace('_', '-')}" in usage


def test_ctrl_c_keeps_the_checkpoint_and_says_how_to_go_on(
    tmp_path, capsys, monkeypatch
):
    argv = ["train", "digits", "--out", tmp_path, "--rule", "exact", *QUICK[:-1], "1"]
    saved = runs.save_checkpoint

    def save_and_stop(*args):
        saved(*args)
        raise KeyboardInterrupt

    monkeypatch.setattr(runs, "save_checkpoint", save_and_stop)
    assert main([*map(str, argv), "--resume"]) == 130
    told = capsys.readouterr().err
    assert "holds no run to resume" in told
    assert "checkpoint.npz is kept: add --resume to go on" in told
    monkeypatch.undo()
    with pytest.raises(
        ValueError, match=r"unfinished run, 1 of 2 epochs done: --resume"
    ):
        call(*argv)
    with pytest.raises(
        ValueError, match=r"belongs to a run with lr = 0\.004 \(now 0\.1\)"
    ):
        call(*argv, "--resume", "--lr", "0.1")
    with pytest.raises(ValueError, match=r"takes all options from .*, got lr; leave"):
        call("train", "--resume", tmp_path, "--lr", "0.1")
    assert call("train", "--resume", tmp_path) == 0  # each run in it, as its files say
    told = capsys.readouterr()
    assert "holds no run" not in told.err
    assert "±" not in told.out  # one encoding has no spread
    assert call(*argv, "--resume") == 0
    assert "holds this very run, finished" in capsys.readouterr().err


@pytest.mark.slow
def test_the_recipe_learns_the_digits_with_both_rules(tmp_path):
    assert call("train", "digits", "--epochs", 12, "--out", tmp_path) == 0  # it has 60
    for rule in ("exact", "classic"):
        record = json.loads((tmp_path / rule / "record.json").read_text())
        assert record["accuracy"]["mean"] >= 0.95


SILENT = Settings(hidden=(20,), T=1, batch=20, epochs=2, v_th=1000.0)


def test_where_there_is_no_terminal_lines_and_advice_are_printed(capsys):
    events = list(train(SILENT, load_digits()))
    first = next(e for e in events if isinstance(e, Epoch))
    watch(events, SILENT, "digits, exact")
    lines = capsys.readouterr().err.splitlines()
    assert sum("layer 1 is silent" in line for line in lines) == 1
    told = [line for line in lines if line.startswith("digits, exact: epoch")]
    assert len(told) == 2
    assert f"loss {first.loss:.4f}" in told[0]
    assert "firing 0." in told[0]
