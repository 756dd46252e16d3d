"""Checkpoints and records: the same bits come back; what is damaged or foreign is named."""

import json
from dataclasses import replace

import pytest

from stbp_edu._support.files import read_arrays, read_values, write_arrays
from stbp_edu.training import runs
from stbp_edu.training.runs import open_run
from tests.runs import epochs


@pytest.fixture
def config(small, few, tmp_path):
    return runs.RunConfig("digits", replace(small, epochs=1), few, tmp_path / "run")


@pytest.fixture
def written(config):
    """The checkpoint of a run after an epoch."""
    path = config.folder / runs.CHECKPOINT
    state = epochs(config.settings, config.data)[0].state
    runs.save_checkpoint(path, state, {**config.request(), "curves": []})
    return path


def test_a_run_on_other_data_is_not_resumed(written, config, bytes_few):
    found = runs.earlier_run(config, resume=True)
    assert found.record["data"] == config.data.fingerprint()
    with pytest.raises(ValueError, match=r"data = .*give the same settings and data"):
        runs.earlier_run(replace(config, data=bytes_few), resume=True)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"settings": {"tav": 1}}, r"got \['tav'\]"),
        ({"step": None}, "'step' is missing"),
        ({"settings": {"hidden": [21]}}, r"hidden layers \(21,\) .*, got \(20,\)"),
        ({"shape": "64-20-20-10"}, "shape must name as many layers as W has"),
    ],
)
def test_a_checkpoint_that_cannot_be_gone_on_with_is_named(changes, words, written):
    arrays = read_arrays(written)
    values = {k: v for k, v in (read_values(arrays) | changes).items() if v is not None}
    write_arrays(written, arrays, values)
    with pytest.raises(ValueError, match=words) as caught:
        runs.load_checkpoint(written)
    assert ".npz must be a checkpoint that `stbp-edu train` wrote" in str(caught.value)
    written.write_bytes(written.read_bytes()[:-100])
    with pytest.raises(ValueError, match="could not be read"):
        runs.load_checkpoint(written)


def test_files_of_two_runs_or_of_something_else_are_named(config):
    assert [*runs.train_in_folder(config)]
    folder, (record, params) = (
        config.folder,
        (config.folder / n for n in (runs.RECORD, runs.PARAMS)),
    )
    assert open_run(str(folder)).settings == config.settings
    text = json.loads(record.read_text())
    text["settings"]["hidden"] = [31]
    damages = [
        (record, json.dumps(text), r"with hidden layers \(31,\) .*, got \(20,\)"),
        (record, "[1, 2]", "must be a record that `stbp-edu train` wrote"),
        (record, '{"settings": {', "must be a JSON file"),
        (params, "another file", r"params\.npz must be a whole npz file"),
    ]
    for path, damaged, words in damages:
        whole = path.read_bytes()
        path.write_text(damaged)
        with pytest.raises(ValueError, match=words):
            open_run(folder)
        path.write_bytes(whole)
    params.unlink()
    with pytest.raises(FileNotFoundError, match=r"params\.npz must be a file"):
        open_run(folder)
