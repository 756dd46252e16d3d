from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from stbp_edu.arrays import tensors
from stbp_edu.files import read_arrays
from stbp_edu.training import Epoch, train
from stbp_edu.training.runs import CHECKPOINT, RunConfig, unfinished_run
from stbp_edu.training.runs.checkpoint import Checkpoint, load_checkpoint, save_checkpoint


@pytest.fixture
def written(small, few, tmp_path: Path) -> tuple[Path, Checkpoint]:
    epoch = next(e for e in train(small, few) if isinstance(e, Epoch))
    checkpoint = Checkpoint(small, few.fingerprint(), epoch.state, [{"epoch": 1, "loss": 0.25}])
    save_checkpoint(tmp_path / "c.npz", checkpoint)
    return tmp_path / "c.npz", checkpoint


def test_a_checkpoint_survives_to_the_bit(written) -> None:
    path, checkpoint = written
    found = load_checkpoint(path)
    assert (found.settings, found.data, found.curves) == (
        checkpoint.settings,
        checkpoint.data,
        checkpoint.curves,
    )
    assert (found.state.epoch, found.state.optimizer.step) == (1, 10)
    pairs = [(found.state.params, checkpoint.state.params)]
    pairs += [(found.state.kept, checkpoint.state.kept)]
    pairs += zip(found.state.optimizer.slots, checkpoint.state.optimizer.slots, strict=True)
    for got, want in pairs:
        for name, array in tensors(got).items():
            np.testing.assert_array_equal(array, tensors(want)[name])


@pytest.mark.parametrize("averaging", [0.0, 0.9])
@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_a_resumed_state_goes_on_as_if_nothing_had_happened(
    averaging, optimizer, small, few, tmp_path: Path
) -> None:
    settings = replace(small, epochs=3, averaging=averaging, optimizer=optimizer)
    for event in train(settings, few):
        if isinstance(event, Epoch):
            whole = event
            if event.epoch == 1:
                save_checkpoint(tmp_path / "c.npz", Checkpoint(settings, "", event.state, []))
    events = train(settings, few, load_checkpoint(tmp_path / "c.npz").state)
    *_, resumed = (e for e in events if isinstance(e, Epoch))
    assert (resumed.loss, resumed.test) == (whole.loss, whole.test)
    for name, array in tensors(resumed.state.kept).items():
        np.testing.assert_array_equal(array, tensors(whole.state.kept)[name])


def test_damaged_and_truncated_checkpoints_are_named(written) -> None:
    path, _ = written
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    for length in rng.integers(0, len(whole), 20):
        path.write_bytes(whole[:length])
        with pytest.raises(ValueError, match=r"c\.npz must be a whole npz file"):
            load_checkpoint(path)
    arrays = whole.index(b"NUMPY")
    for at in rng.integers(arrays + 200, arrays + 4000, 20):  # inside the first array
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x10]) + whole[at + 1 :])
        with pytest.raises(ValueError, match=r"c\.npz must be a whole npz file"):
            load_checkpoint(path)


def test_foreign_checkpoints_are_named(written, tmp_path: Path) -> None:
    path, _ = written
    arrays = read_arrays(path)
    meta = arrays["meta"].tobytes()

    def load_changed(**changes: np.ndarray | None) -> None:
        changed = {k: v for k, v in {**arrays, **changes}.items() if v is not None}
        np.savez(tmp_path / "x.npz", **changed)
        load_checkpoint(tmp_path / "x.npz")

    load_changed()
    with pytest.raises(ValueError, match=r"x\.npz must be a checkpoint .* but 'meta'"):
        load_changed(meta=None)
    with pytest.raises(ValueError, match="must be a checkpoint"):
        load_changed(meta=np.frombuffer(b"{", np.uint8))
    other = meta.replace(b'"format": 1', b'"format": 9')
    with pytest.raises(ValueError, match="its format is 9, and this version reads 1"):
        load_changed(meta=np.frombuffer(other, np.uint8))
    other = meta.replace(b'"tau"', b'"tav"')
    with pytest.raises(ValueError, match=r"got \['tav'\]"):
        load_changed(meta=np.frombuffer(other, np.uint8))
    with pytest.raises(ValueError, match=r"slot0 must hold W1, b1"):
        load_changed(**{"slot0.W1": None})
    for old, new, words in (
        (b'"epoch": 1', b'"epoch": 9', "its epoch 9 of 2 or its curves cannot be"),
        (b'"epoch": 1', b'"epoch": "one"', "epoch must be an integer"),
        (b'"epoch": 1', b'"epoch": -5', "epoch must be >= 0"),
        (b'"hidden": [20]', b'"hidden": [7]', r"its hidden layers are \(20,\), not \(7,\)"),
        (b'"curves": [{"epoch": 1, "loss": 0.25}]', b'"curves": [1]', "or its curves cannot be"),
    ):
        assert old in meta
        with pytest.raises(ValueError, match=words):
            load_changed(meta=np.frombuffer(meta.replace(old, new), np.uint8))
    with pytest.raises(ValueError, match="W1 must be float32 throughout, got float64"):
        load_changed(**{k: a.astype(float) for k, a in arrays.items() if k.startswith("slot0")})
    with pytest.raises(ValueError, match=r"W1 must have shape \(20, 64\) throughout"):
        load_changed(**{"average.W1": np.zeros((20, 3), np.float32)})


def test_a_run_on_other_data_is_not_resumed(small, few, bytes_few, tmp_path: Path) -> None:
    epoch = next(e for e in train(small, few) if isinstance(e, Epoch))
    save_checkpoint(tmp_path / CHECKPOINT, Checkpoint(small, few.fingerprint(), epoch.state, []))
    assert unfinished_run(RunConfig("digits", small, few, tmp_path)) is not None
    with pytest.raises(ValueError, match="a run on other images than these"):
        unfinished_run(RunConfig("digits", small, bytes_few, tmp_path))
    with pytest.raises(ValueError, match=r"a run with seed = 0 \(now 1\)"):
        unfinished_run(RunConfig("digits", replace(small, seed=1), few, tmp_path))
