from __future__ import annotations

import json
from pathlib import Path

import pytest

from stbp_edu.cli.main import main
from stbp_edu.files import load_params, save_params
from stbp_edu.training.runs import open_run

QUICK = ["--epochs", "1", "--hidden", "30", "--T", "4", "--batch", "100", "--encodings", "1"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A finished run."""
    argv = ["train", "digits", "--rule", "exact", "--out", str(tmp_path / "run"), *QUICK]
    assert main(argv) == 0
    return tmp_path / "run"


def test_files_of_two_runs_or_of_something_else_are_named(folder: Path, tmp_path: Path) -> None:
    record = json.loads((folder / "exact" / "record.json").read_text())
    save_params(tmp_path / "params.npz", load_params(folder / "exact" / "params.npz"))
    (tmp_path / "record.json").write_text(json.dumps(record))
    assert open_run(tmp_path).settings.hidden == (30,)
    other = {**record, "settings": {**record["settings"], "hidden": [31]}}
    (tmp_path / "record.json").write_text(json.dumps(other))
    with pytest.raises(ValueError, match=r"must have hidden layers \(31,\) .*these files are of"):
        open_run(tmp_path)
    (tmp_path / "record.json").write_text("[1, 2]")
    with pytest.raises(ValueError, match="must be a record that `stbp-edu train` wrote"):
        open_run(tmp_path)
    (tmp_path / "record.json").write_text('{"settings": {')
    with pytest.raises(ValueError, match="must be a JSON file"):
        open_run(tmp_path)
