"""Checkpoints and records: the same bits come back; what is damaged or foreign is named."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stbp_edu.cli.main import main
from stbp_edu.files import load_params, read_arrays, save_params
from stbp_edu.training import Epoch, train
from stbp_edu.training.runs import (
    CHECKPOINT,
    PARAMS,
    RECORD,
    Checkpoint,
    RunConfig,
    earlier_work,
    open_run,
)
from stbp_edu.training.runs.checkpoint import load_checkpoint, save_checkpoint
from tests.runs import bits

POINT = {"epoch": 1, "loss": 0.25, "held_out": 0.5, "rates": [0.1, 0.1, 0.1], "seconds": 1.0}


@pytest.fixture
def written(small, few, tmp_path: Path) -> tuple[Path, Checkpoint]:
    epoch = next(e for e in train(small, few) if isinstance(e, Epoch))
    checkpoint = Checkpoint(small, few.fingerprint(), epoch.state, [POINT])
    save_checkpoint(tmp_path / "c.npz", checkpoint)
    return tmp_path / "c.npz", checkpoint


@pytest.mark.parametrize("changes", [{}, {"hidden": ("4C3", 20), "encoder": "direct"}])
def test_files_of_version_1_are_read(changes, small, few, tmp_path: Path) -> None:
    """They have no checksum, keep the shape of a convolution as an array, and name shards."""
    settings = replace(small, **changes)
    state = next(e for e in train(settings, few) if isinstance(e, Epoch)).state
    checkpoint, params = tmp_path / "c.npz", tmp_path / "p.npz"
    save_checkpoint(checkpoint, Checkpoint(settings, "", state, []))
    save_params(params, state.kept)
    arrays = read_arrays(checkpoint)
    values = unsealed(json.loads(arrays.pop("meta").tobytes()))
    values["settings"] |= {"shards": 2}
    shape = values.pop("shape", None)
    shapes = {} if shape is None else {"shape": np.frombuffer(shape.encode(), np.uint8)}
    np.savez(params, **{k: a for k, a in read_arrays(params).items() if k != "meta"}, **shapes)
    before = {f"{group}.shape": a for a in shapes.values() for group in ("params", "average")}
    np.savez(checkpoint, **arrays, **before, meta=np.frombuffer(json.dumps(values).encode(), "u1"))
    assert bits(load_params(params)) == bits(state.kept)
    found = load_checkpoint(checkpoint)
    assert found.settings == settings
    assert bits(found.state.params) == bits(state.params)


def test_a_run_on_other_data_is_not_resumed(written, small, few, bytes_few, tmp_path) -> None:
    path, checkpoint = written
    path.rename(tmp_path / CHECKPOINT)
    found, _ = earlier_work(RunConfig("digits", small, few, tmp_path), resume=True)
    assert found is not None
    assert found.data == checkpoint.data
    with pytest.raises(ValueError, match="other images than these; give the same data to resume"):
        earlier_work(RunConfig("digits", small, bytes_few, tmp_path), resume=True)


def unsealed(values: dict) -> dict:
    """Return what version 1 wrote, which had no checksum."""
    return {"format": 1, **{k: v for k, v in values.items() if k not in ("checksum", "format")}}


def meta(**changes: Any) -> Callable[[dict], dict]:
    """Change what a checkpoint says of itself; None takes it out."""

    def change(arrays: dict) -> dict:
        values = {**unsealed(json.loads(arrays["meta"].tobytes())), **changes}
        text = json.dumps({k: v for k, v in values.items() if v is not None})
        return {**arrays, "meta": np.frombuffer(text.encode(), np.uint8)}

    return change


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda a: {k: v for k, v in a.items() if k != "meta"}, "but 'settings' is missing"),
        (lambda a: {**a, "meta": np.frombuffer(b"{", np.uint8)}, "must be a checkpoint"),
        (meta(format=9), "its format is 9, and this version reads 2"),
        (meta(format=2), "its checksum is not that of what is in it"),
        (lambda a: {**a, "params.W1": a["params.W1"] + 1}, "its checksum is not that"),
        (meta(settings={"tav": 1}), r"got \['tav'\]"),
        (meta(epoch=9), "its epoch is 9, and the run has 2"),
        (meta(epoch=-5), "epoch must be >= 0"),
        (meta(step=None), "'step' is missing"),
        (meta(settings={"hidden": [21]}), r"its hidden layers are \(20,\), not \(21,\)"),
        (meta(curves=[{"epoch": 1}]), "'loss' is missing"),
        (meta(curves=[{**POINT, "seconds": "long"}]), "seconds must be a real number"),
        (lambda a: meta()({k: v for k, v in a.items() if k != "slot0.W1"}), "must hold W1, b1"),
        (
            lambda a: meta()({k: v.astype(float) if k[:5] == "slot0" else v for k, v in a.items()}),
            "W1 must be float32 throughout, got float64",
        ),
        (
            lambda a: meta()({**a, "average.W1": np.zeros((20, 3), np.float32)}),
            r"W1 must have shape \(20, 64\) throughout",
        ),
    ],
)
def test_foreign_checkpoints_are_named(change, words, written) -> None:
    path, _ = written
    np.savez(path, **change(read_arrays(path)))
    with pytest.raises(ValueError, match=words) as caught:
        load_checkpoint(path)
    assert "c.npz must be a checkpoint that `stbp-edu train` wrote" in str(caught.value)


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Path:
    """A finished run of the command."""
    out = tmp_path_factory.mktemp("finished")
    argv = ["train", "digits", "--rule", "exact", "--out", str(out), *QUICK]
    assert main(argv) == 0
    return out / "exact"


QUICK = [
    "--epochs", "1", "--hidden", "30", "--T", "4", "--batch", "100", "--encodings", "1",
]  # fmt: skip


def within(*keys: Any, value: Any) -> Callable[[Any], None]:
    """Change one value inside a record."""

    def change(record: Any) -> None:
        for key in keys[:-1]:
            record = record[key]
        record[keys[-1]] = value

    return change


@pytest.mark.parametrize(
    "change",
    [
        lambda record: record.clear(),
        within("format", value=2),
        within("checksum", value="0"),
        within("settings", value={"depth": 3}),
        within("settings", "T", value=-1),
        within("held_out", value="none"),
        within("curves", value=[]),
        within("curves", 0, "loss", value="small"),
        within("curves", 0, "rates", 1, value=[0.1]),
        within("accuracy", "encodings", value=[]),
        within("accuracy", "spread", value=float("nan")),
        within("accuracy", "images", value=1e3),
    ],
)
def test_a_record_that_was_tampered_with_is_named(change, finished, tmp_path, capsys) -> None:
    record = unsealed(json.loads((finished / RECORD).read_text()))
    change(record)
    (tmp_path / "exact").mkdir()
    (tmp_path / "exact" / RECORD).write_text(json.dumps(record))
    (tmp_path / "exact" / PARAMS).write_bytes((finished / PARAMS).read_bytes())
    train_again = ["train", "digits", "--rule", "exact", "--out", str(tmp_path), *QUICK]
    run = str(tmp_path / "exact")
    for argv in (train_again, [*train_again, "--resume"], ["plot", run], ["eval", run]):
        assert main(argv) == 2
        assert "must be a record that `stbp-edu train` wrote" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[1, 2]", "must be a record that `stbp-edu train` wrote"),
        ('{"settings": {', "must be a JSON file"),
        ('"hidden": [31]', r"must have hidden layers \(31,\) .*these files are of two runs"),
    ],
)
def test_files_of_two_runs_or_of_something_else_are_named(text, words, finished, tmp_path) -> None:
    record = unsealed(json.loads((finished / RECORD).read_text()))
    (tmp_path / PARAMS).write_bytes((finished / PARAMS).read_bytes())
    (tmp_path / RECORD).write_text(json.dumps(record))
    assert open_run(tmp_path).settings.hidden == (30,)
    record["settings"]["hidden"] = [31]
    (tmp_path / RECORD).write_text(json.dumps(record) if "hidden" in text else text)
    with pytest.raises(ValueError, match=words):
        open_run(tmp_path)
