"""Checkpoints and records: the same bits come back; what is damaged or foreign is named."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest

from stbp_edu.cli.main import main
from stbp_edu.files import load_params, read_arrays, save_params
from stbp_edu.training import Settings, runs
from stbp_edu.training.runs import open_run as opened
from tests.runs import bits, epochs

POINT = {
    "epoch": 1,
    "loss": 0.25,
    "held_out": 0.5,
    "rates": [0.1, 0.1, 0.1],
    "seconds": 1.0,
}


@pytest.fixture
def written(small, few, tmp_path: Path) -> Path:
    state = epochs(small, few)[0].state
    runs.save_checkpoint(
        tmp_path / runs.CHECKPOINT,
        runs.Checkpoint(small, few.fingerprint(), state, [POINT]),
    )
    return tmp_path / runs.CHECKPOINT


def unsealed(values: dict) -> dict:
    """Return what version 1 wrote, which had no checksum."""
    return {
        "format": 1,
        **{k: v for k, v in values.items() if k not in ("checksum", "format")},
    }


def packed(values: dict) -> np.ndarray:
    return np.frombuffer(json.dumps(values).encode(), np.uint8)


def channels_last(name: str, array: np.ndarray) -> np.ndarray:
    """Return an array of 8x8-4C3-20-10 as version 1 had it: no copy where it is none of those."""
    if array.shape == (4, 1, 3, 3):
        return np.moveaxis(array, 1, 3).reshape(4, 9)
    wide = array.shape == (20, 144)
    return (
        np.moveaxis(array.reshape(20, 4, 6, 6), 1, 3).reshape(20, 144)
        if wide
        else array
    )


@pytest.mark.parametrize("changes", [{}, {"hidden": ("4C3", 20), "encoder": "direct"}])
def test_a_run_that_version_1_began_goes_on_bit_for_bit(
    changes, few, tmp_path: Path
) -> None:
    """No checksum, a convolution's shape as an array, its channels last, and old settings."""
    settings = Settings(
        **{"hidden": (20,), "T": 4, "batch": 20, "epochs": 2, **changes}
    )
    first, whole = epochs(settings, few)
    checkpoint, params = tmp_path / "c.npz", tmp_path / "p.npz"
    runs.save_checkpoint(checkpoint, runs.Checkpoint(settings, "", first.state, []))
    save_params(params, first.state.kept)
    arrays = {k: channels_last(k, a) for k, a in read_arrays(checkpoint).items()}
    values = unsealed(json.loads(arrays.pop("meta").tobytes()))
    values["settings"] |= {"shards": 2, "optimizer": "adam", "momentum": 0.9}
    shape, _ = values.pop("shape", None), values.pop("derived", None)
    shapes = {} if shape is None else {"shape": np.frombuffer(shape.encode(), np.uint8)}
    kept = {
        k: channels_last(k, a) for k, a in read_arrays(params).items() if k != "meta"
    }
    np.savez(params, **kept, **shapes)
    before = {
        f"{group}.shape": a for a in shapes.values() for group in ("params", "average")
    }
    np.savez(checkpoint, **arrays, **before, meta=packed(values))
    assert bits(load_params(params)) == bits(first.state.kept)
    found = runs.load_checkpoint(checkpoint)
    assert found.settings == settings
    assert bits(epochs(settings, few, found.state)[0].state.kept) == bits(
        whole.state.kept
    )


def test_a_run_on_other_data_is_not_resumed(written, small, few, bytes_few) -> None:
    found, _ = runs.earlier_work(
        runs.RunConfig("digits", small, few, written.parent), resume=True
    )
    assert found is not None
    assert found.data == few.fingerprint()
    with pytest.raises(
        ValueError, match="other images than these; give the same data to resume"
    ):
        runs.earlier_work(
            runs.RunConfig("digits", small, bytes_few, written.parent), resume=True
        )


def meta(**changes: Any) -> Callable[[dict], dict]:
    """Change what a checkpoint says of itself; None takes it out."""

    def change(arrays: dict) -> dict:
        values = {**unsealed(json.loads(arrays["meta"].tobytes())), **changes}
        return {
            **arrays,
            "meta": packed({k: v for k, v in values.items() if v is not None}),
        }

    return change


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda a: {k: v for k, v in a.items() if k != "meta"},
            "but 'settings' is missing",
        ),
        (
            lambda a: {**a, "meta": np.frombuffer(b"{", np.uint8)},
            "must be a checkpoint",
        ),
        (meta(format=9), "its format is 9, and this version reads 2"),
        (meta(format=2), "its checksum is not that of what is in it"),
        (lambda a: {**a, "params.W1": a["params.W1"] + 1}, "its checksum is not that"),
        (meta(settings={"tav": 1}), r"got \['tav'\]"),
        (meta(step=None), "'step' is missing"),
        (meta(settings={"hidden": [21]}), r"hidden layers \(21,\) .*, got \(20,\)"),
        (
            lambda a: meta()({k: v for k, v in a.items() if k != "slot0.W1"}),
            "must hold W1, b1",
        ),
    ],
)
def test_foreign_checkpoints_are_named(change, words, written) -> None:
    np.savez(written, **change(read_arrays(written)))
    with pytest.raises(ValueError, match=words) as caught:
        runs.load_checkpoint(written)
    assert ".npz must be a checkpoint that `stbp-edu train` wrote" in str(caught.value)


QUICK = [
    "--epochs",
    "1",
    "--hidden",
    "30",
    "--T",
    "4",
    "--batch",
    "100",
    "--encodings",
    "1",
]


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Path:
    """A finished run of the command."""
    out = tmp_path_factory.mktemp("finished")
    assert main(["train", "digits", "--rule", "exact", "--out", str(out), *QUICK]) == 0
    return out / "exact"


@pytest.fixture
def copied(finished, tmp_path: Path) -> Callable[[dict | str], Path]:
    """A function that writes the run's parameters and another record, and returns the folder."""

    def copy(record: dict | str) -> Path:
        (tmp_path / "exact").mkdir(exist_ok=True)
        (tmp_path / "exact" / runs.PARAMS).write_bytes(
            (finished / runs.PARAMS).read_bytes()
        )
        text = record if isinstance(record, str) else json.dumps(record)
        (tmp_path / "exact" / runs.RECORD).write_text(text)
        return tmp_path / "exact"

    return copy


@pytest.mark.parametrize(
    "change",
    [
        lambda record: {},
        lambda record: record | {"format": 2},
        lambda record: record | {"checksum": "0"},
        lambda record: record | {"settings": {"depth": 3}},
        lambda record: record | {"settings": record["settings"] | {"T": -1}},
    ],
)
def test_a_record_that_was_changed_is_named(
    change, finished, copied, tmp_path, capsys
) -> None:
    run = copied(change(unsealed(json.loads((finished / runs.RECORD).read_text()))))
    train_again = ["train", "digits", "--rule", "exact", "--out", str(tmp_path), *QUICK]
    for argv in (train_again, [*train_again, "--resume"], ["eval", str(run)]):
        assert main(argv) == 2
        assert "must be a record that `stbp-edu train` wrote" in capsys.readouterr().err


def test_files_of_two_runs_or_of_something_else_are_named(finished, copied) -> None:
    record = unsealed(json.loads((finished / runs.RECORD).read_text()))
    assert opened(copied(record)).settings.hidden == (30,)
    record["settings"]["hidden"] = [31]
    for given, words in (
        (record, r"with hidden layers \(31,\) .*, got \(30,\)"),
        ("[1, 2]", "must be a record that `stbp-edu train` wrote"),
        ('{"settings": {', "must be a JSON file"),
    ):
        with pytest.raises(ValueError, match=words):
            opened(copied(given))


def test_a_record_needs_nothing_that_a_machine_forbids_to_read() -> None:
    with patch.object(Path, "read_text", side_effect=PermissionError):
        assert runs.environment()["machine"]["processor"]
