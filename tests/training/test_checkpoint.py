from __future__ import annotations

import os
import random
import re
import resource
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from stbp_edu.cli import main
from stbp_edu.training import runs
from stbp_edu.training.checkpoint import Checkpoint, fingerprint, load, save
from stbp_edu.training.files import locked, read_arrays
from stbp_edu.training.tensors import tensors
from stbp_edu.training.trainer import Epoch, train

EPOCHS = 12
RUN = (
    f"train digits --rule exact --epochs {EPOCHS} --hidden 60 --T 5 --batch 100 --shards 2 "
    "--dropout 0.2 --shift 1 --encodings 1 --resume"
).split()


def command(out: Path) -> list[str]:
    main = "import sys; from stbp_edu.cli import main; sys.exit(main())"
    return [sys.executable, "-c", main, *RUN, "--out", str(out)]


def environment() -> dict[str, str]:
    return {**os.environ, "OPENBLAS_NUM_THREADS": "1"}


def finish(out: Path) -> bytes:
    """Run to the end, and return the bytes of the parameters."""
    subprocess.run(command(out), env=environment(), check=True, capture_output=True, timeout=120)
    assert sorted(p.name for p in (out / "exact").iterdir()) == [runs.PARAMS, runs.RECORD]
    return (out / "exact" / runs.PARAMS).read_bytes()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory) -> tuple[bytes, float]:
    """The parameters of a run that nobody interrupts, and the seconds that it took."""
    began = time.perf_counter()
    return finish(tmp_path_factory.mktemp("whole")), time.perf_counter() - began


def kill_once(out: Path, after: float, how: signal.Signals) -> tuple[int, bool]:
    """Start the run, kill it ``after`` seconds; return the epochs it had told of, and if it was."""
    with subprocess.Popen(
        command(out), env=environment(), stderr=subprocess.PIPE, stdout=subprocess.DEVNULL
    ) as process:
        assert process.stderr is not None
        try:
            process.wait(after)
        except subprocess.TimeoutExpired:
            process.send_signal(how)
        told = process.stderr.read().decode()
        ended = process.wait(60)
    assert ended in (0, -signal.SIGKILL, -signal.SIGINT, 130), told
    found = re.findall(r"epoch (\d+)/", told)
    return int(found[-1]) if found else 0, ended != 0


def saved_epoch(out: Path) -> int:
    """Return how far the folder's run is, whatever is in it: nothing, a checkpoint, the end."""
    folder = out / "exact"
    if (folder / runs.CHECKPOINT).exists():
        return load(folder / runs.CHECKPOINT).state.epoch
    return EPOCHS if (folder / runs.RECORD).exists() else 0


def disturb(out: Path, moments: int, longest: float, seed: int) -> None:
    """Kill the run at random moments; each time at most one interval may be lost."""
    rng = random.Random(seed)
    reached = kills = k = 0
    while kills < moments:
        k += 1
        assert k < 4 * moments
        if saved_epoch(out) == EPOCHS and not (out / "exact" / runs.CHECKPOINT).exists():
            for path in (out / "exact").iterdir():  # it is done: begin again
                path.unlink()
            reached = 0
        how = signal.SIGINT if k % 5 == 4 else signal.SIGKILL
        told, killed = kill_once(out, rng.uniform(0, longest), how)
        told, kills = max(reached, told), kills + killed
        now = saved_epoch(out)
        assert now >= told - 1
        assert now >= reached
        reached = now


def test_killed_runs_end_in_the_same_bits(undisturbed, tmp_path: Path) -> None:
    bits, seconds = undisturbed
    disturb(tmp_path, 4, seconds, seed=0)
    assert finish(tmp_path) == bits


@pytest.mark.slow
def test_fifty_kills_lose_at_most_one_interval(undisturbed, tmp_path: Path) -> None:
    bits, seconds = undisturbed
    for seed in range(5):
        disturb(tmp_path / str(seed), 10, seconds, seed=seed + 1)
        assert finish(tmp_path / str(seed)) == bits


@pytest.mark.parametrize("which", ["save_params", "write_json"])
def test_a_disk_that_fills_at_the_end_loses_nothing(
    which, undisturbed, tmp_path: Path, monkeypatch
) -> None:
    """The last files, the parameters and the record, over those of an earlier run."""
    argv = [*RUN, "--out", str(tmp_path)]
    assert main([*argv, "--seed", "7"]) == 0

    def full(path: Path, *_: object) -> None:
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr(runs, which, full)
    argv.remove("--resume")
    assert main(argv) == 2
    monkeypatch.undo()
    if which == "write_json":  # the new parameters beside the old record: nobody is taken in
        assert main(["eval", str(tmp_path / "exact")]) == 2
    assert finish(tmp_path) == undisturbed[0]


def test_damaged_parameters_are_not_taken_for_a_finished_run(tmp_path: Path, capsys) -> None:
    argv = [*RUN, "--out", str(tmp_path)]
    assert main(argv) == 0
    path = tmp_path / "exact" / runs.PARAMS
    whole = path.read_bytes()
    path.write_bytes(whole[:-100])
    assert main(argv) == 2
    assert "must be the file that" in capsys.readouterr().err
    path.unlink()
    assert main(["eval", str(tmp_path / "exact")]) == 2
    assert "must be there" in capsys.readouterr().err
    argv[argv.index("--resume")] = "--restart"
    assert main(argv) == 0
    assert path.read_bytes() == whole


def test_two_runs_in_one_folder_do_not_meet(tmp_path: Path, capsys) -> None:
    with locked(tmp_path / ".exact.lock"):
        done = subprocess.run(command(tmp_path), env=environment(), capture_output=True, text=True)
    assert done.returncode == 2
    assert "exact is in use by another run; wait for it" in done.stderr


def test_a_full_disk_is_told_and_loses_nothing(undisturbed, tmp_path: Path) -> None:
    """A limit on the size of a file stands in for the disk: the write fails half way."""
    bits, _ = undisturbed

    def small_disk() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))

    done = subprocess.run(
        command(tmp_path), env=environment(), capture_output=True, preexec_fn=small_disk, timeout=60
    )
    assert done.returncode == 2
    assert b"File too large" in done.stderr
    assert b"what was saved before is whole: make room" in done.stderr
    assert list((tmp_path / "exact").iterdir()) == []
    assert finish(tmp_path) == bits


@pytest.fixture
def written(small, few, tmp_path: Path) -> tuple[Path, Checkpoint]:
    epoch = next(e for e in train(small, few) if isinstance(e, Epoch))
    checkpoint = Checkpoint(small, fingerprint(few), epoch.state, [{"epoch": 1, "loss": 0.25}])
    save(tmp_path / "c.npz", checkpoint)
    return tmp_path / "c.npz", checkpoint


def test_a_checkpoint_survives_to_the_bit(written) -> None:
    path, checkpoint = written
    found = load(path)
    assert (found.settings, found.data, found.curves) == (
        checkpoint.settings,
        checkpoint.data,
        checkpoint.curves,
    )
    assert (found.state.epoch, found.state.optimizer.step) == (1, 10)
    pairs = [(found.state.params, checkpoint.state.params)]
    pairs += [(found.state.average, checkpoint.state.average)]
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
                save(tmp_path / "c.npz", Checkpoint(settings, "", event.state, []))
    events = train(settings, few, load(tmp_path / "c.npz").state)
    *_, resumed = (e for e in events if isinstance(e, Epoch))
    assert (resumed.loss, resumed.test) == (whole.loss, whole.test)
    for name, array in tensors(resumed.state.average).items():
        np.testing.assert_array_equal(array, tensors(whole.state.average)[name])


def test_damaged_and_truncated_checkpoints_are_named(written) -> None:
    path, _ = written
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    for length in rng.integers(0, len(whole), 20):
        path.write_bytes(whole[:length])
        with pytest.raises(ValueError, match=r"c\.npz must be a whole npz file"):
            load(path)
    arrays = whole.index(b"NUMPY")
    for at in rng.integers(arrays + 200, arrays + 4000, 20):  # inside the first array
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x10]) + whole[at + 1 :])
        with pytest.raises(ValueError, match=r"c\.npz must be a whole npz file"):
            load(path)


def test_foreign_checkpoints_are_named(written, tmp_path: Path) -> None:
    path, _ = written
    arrays = read_arrays(path)
    meta = arrays["meta"].tobytes()

    def load_changed(**changes: np.ndarray | None) -> None:
        changed = {k: v for k, v in {**arrays, **changes}.items() if v is not None}
        np.savez(tmp_path / "x.npz", **changed)
        load(tmp_path / "x.npz")

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
        (b'"hidden": [20]', b'"hidden": [7]', r"its hidden widths are \(20,\), not \(7,\)"),
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
    save(tmp_path / runs.CHECKPOINT, Checkpoint(small, fingerprint(few), epoch.state, []))
    assert runs.unfinished(runs.Job("digits", small, few, tmp_path)) is not None
    with pytest.raises(ValueError, match="a run on other images than these"):
        runs.unfinished(runs.Job("digits", small, bytes_few, tmp_path))
    with pytest.raises(ValueError, match=r"a run with seed = 0 \(now 1\)"):
        runs.unfinished(runs.Job("digits", replace(small, seed=1), few, tmp_path))
