"""Checkpoints and records: the same bits come back; what is damaged or foreign is named."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stbp_edu.cli.main import main
from stbp_edu.files import checksum, read_arrays
from stbp_edu.training import runs
from stbp_edu.training.runs import open_run as opened
from tests.runs import epochs

POINT = {"epoch": 1, "loss": 0.25, "held_out": 0.5, "rates": [0.1, 0.1, 0.1], "seconds": 1.0}


@pytest.fixture
def written(small, few, tmp_path: Path) -> Path:
    state = epochs(small, few)[0].state
    runs.save_checkpoint(
        tmp_path / runs.CHECKPOINT, runs.Checkpoint(small, few.fingerprint(), state, [POINT])
    )
    return tmp_path / runs.CHECKPOINT


def sealed(values: dict, arrays: dict, **changes: Any) -> dict:
    """Return changed values with the checksum of what they are now; None takes one out."""
    changed = {**values, "checksum": None, **changes}
    kept = {k: v for k, v in changed.items() if v is not None}
    return {**kept, "checksum": checksum(kept, arrays)}


def packed(values: dict) -> np.ndarray:
    return np.frombuffer(json.dumps(values).encode(), np.uint8)


def test_a_run_on_other_data_is_not_resumed(written, small, few, bytes_few) -> None:
    found, _ = runs.earlier_work(runs.RunConfig("digits", small, few, written.parent), resume=True)
    assert found is not None
    assert found.data == few.fingerprint()
    with pytest.raises(ValueError, match="other images than these; give the same data to resume"):
        runs.earlier_work(runs.RunConfig("digits", small, bytes_few, written.parent), resume=True)


def meta(without: str = "", **changes: Any) -> Callable[[dict], dict]:
    """Change what a checkpoint says of itself, and seal it again, without one of its arrays."""

    def change(arrays: dict) -> dict:
        values = json.loads(arrays["meta"].tobytes())
        kept = {k: a for k, a in arrays.items() if k not in ("meta", without)}
        return {**kept, "meta": packed(sealed(values, kept, **changes))}

    return change


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda a: {k: v for k, v in a.items() if k != "meta"}, "but 'meta' is missing"),
        (lambda a: {**a, "meta": np.frombuffer(b"{", np.uint8)}, "must be a checkpoint"),
        (meta(format=9), "its format is 9, and this version reads 2"),
        (
            lambda a: {**a, "meta": packed({"format": 2})},
            "its checksum is not that of what is in it",
        ),
        (lambda a: {**a, "params.W1": a["params.W1"] + 1}, "its checksum is not that"),
        (meta(settings={"tav": 1}), r"got \['tav'\]"),
        (meta(step=None), "'step' is missing"),
        (meta(settings={"hidden": [21]}), r"hidden layers \(21,\) .*, got \(20,\)"),
        (meta("slot0.W1"), "must hold W1, b1"),
    ],
)
def test_foreign_checkpoints_are_named(change, words, written) -> None:
    np.savez(written, **change(read_arrays(written)))
    with pytest.raises(ValueError, match=words) as caught:
        runs.load_checkpoint(written)
    assert ".npz must be a checkpoint that `stbp-edu train` wrote" in str(caught.value)


QUICK = ["--epochs", "1", "--hidden", "30", "--T", "4", "--batch", "100", "--encodings", "1"]


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
        (tmp_path / "exact" / runs.PARAMS).write_bytes((finished / runs.PARAMS).read_bytes())
        text = record if isinstance(record, str) else json.dumps(record)
        (tmp_path / "exact" / runs.RECORD).write_text(text)
        return tmp_path / "exact"

    return copy


@pytest.mark.parametrize(
    "change",
    [
        lambda record: {},
        lambda record: {k: v for k, v in record.items() if k != "checksum"},
        lambda record: record | {"checksum": "0"},
        lambda record: sealed(record, {}, settings={"depth": 3}),
        lambda record: sealed(record, {}, settings=record["settings"] | {"T": -1}),
    ],
)
def test_a_record_that_was_changed_is_named(change, finished, copied, tmp_path, capsys) -> None:
    run = copied(change(json.loads((finished / runs.RECORD).read_text())))
    train_again = ["train", "digits", "--rule", "exact", "--out", str(tmp_path), *QUICK]
    for argv in (train_again, [*train_again, "--resume"], ["eval", str(run)]):
        assert main(argv) == 2
        assert "must be a record that `stbp-edu train` wrote" in capsys.readouterr().err


def test_files_of_two_runs_or_of_something_else_are_named(finished, copied) -> None:
    record = json.loads((finished / runs.RECORD).read_text())
    assert opened(copied(record)).settings.hidden == (30,)
    record["settings"]["hidden"] = [31]
    for given, words in (
        (sealed(record, {}), r"with hidden layers \(31,\) .*, got \(30,\)"),
        ("[1, 2]", "must be a record that `stbp-edu train` wrote"),
        ('{"settings": {', "must be a JSON file"),
    ):
        with pytest.raises(ValueError, match=words):
            opened(copied(given))
