"""Checkpoints and records: the same bits come back; what is damaged or foreign is named."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import pytest

from stbp_edu._support.files import read_arrays, read_values, write_arrays
from stbp_edu.cli.main import main
from stbp_edu.training import measurements, runs
from stbp_edu.training.runs import open_run as opened
from tests.runs import epochs


@pytest.fixture
def config(small, few, tmp_path: Path) -> runs.RunConfig:
    return runs.RunConfig("digits", small, few, tmp_path)


@pytest.fixture
def written(config: runs.RunConfig) -> Path:
    """The checkpoint of a run after an epoch."""
    path = config.folder / runs.CHECKPOINT
    state = epochs(config.settings, config.data)[0].state
    runs.save_checkpoint(path, state, {**config.request(), "curves": []})
    return path


def test_a_run_on_other_data_is_not_resumed(written, config, bytes_few) -> None:
    found, _ = runs.earlier_work(config, resume=True)
    assert found is not None
    assert found.values["data"] == config.data.fingerprint()
    other = replace(config, data=bytes_few)
    with pytest.raises(
        ValueError, match=r"run with data = .*give the same settings and data"
    ):
        runs.earlier_work(other, resume=True)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"settings": {"tav": 1}}, r"got \['tav'\]"),
        ({"step": None}, "'step' is missing"),
        ({"settings": {"hidden": [21]}}, r"hidden layers \(21,\) .*, got \(20,\)"),
        ({"shape": "64-20-20-10"}, "shape must name as many layers as W has"),
    ],
)
def test_a_checkpoint_that_cannot_be_gone_on_with_is_named(
    changes, words, written
) -> None:
    arrays = read_arrays(written)
    values = {k: v for k, v in (read_values(arrays) | changes).items() if v is not None}
    write_arrays(written, arrays, values)
    with pytest.raises(ValueError, match=words) as caught:
        runs.load_checkpoint(written)
    assert ".npz must be a checkpoint that `stbp-edu train` wrote" in str(caught.value)


def test_a_damaged_checkpoint_is_named(written) -> None:
    written.write_bytes(written.read_bytes()[:-100])
    with pytest.raises(ValueError, match="could not be read"):
        runs.load_checkpoint(written)


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


def test_files_of_two_runs_or_of_something_else_are_named(
    finished, copied, tmp_path
) -> None:
    text = (finished / runs.RECORD).read_text()
    run = copied(text)
    assert opened(run).settings.hidden == opened(str(run)).settings.hidden == (30,)
    record = json.loads(text)
    record["settings"]["hidden"] = [31]
    (run / runs.RECORD).write_text(json.dumps(record))
    with pytest.raises(ValueError, match=r"with hidden layers \(31,\) .*, got \(30,\)"):
        opened(run)
    for given, words in (
        ("[1, 2]", "must be a record that `stbp-edu train` wrote"),
        ('{"settings": {', "must be a JSON file"),
    ):
        with pytest.raises(ValueError, match=words):
            opened(copied(given))
    copied(text)
    (run / runs.PARAMS).write_bytes(b"another file")
    with pytest.raises(ValueError, match=r"params\.npz must be a whole npz file"):
        opened(run)
    (run / runs.PARAMS).unlink()
    with pytest.raises(
        FileNotFoundError, match=r"params\.npz must be a file, and there is none"
    ):
        opened(run)


def test_a_record_needs_nothing_that_a_machine_forbids_to_read() -> None:
    with patch.object(Path, "read_text", side_effect=PermissionError):
        assert measurements.environment()["machine"]["processor"]
