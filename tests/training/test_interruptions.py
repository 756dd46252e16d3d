"""Runs that are killed, meet a full disk or another run, or are damaged: nothing is lost."""

from __future__ import annotations

import errno
import json
import os
import random
import re
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from stbp_edu import files
from stbp_edu.cli import train as train_command
from stbp_edu.cli.main import main
from stbp_edu.training.runs import CHECKPOINT, PARAMS, RECORD
from stbp_edu.training.runs.checkpoint import load_checkpoint
from stbp_edu.training.workers import WorkerProcess
from tools import ROOT

EPOCHS = 12
RUN = (
    f"train digits --rule exact --epochs {EPOCHS} --hidden 60 --T 5 --batch 100 --shards 2 "
    "--dropout 0.2 --shift 1 --encodings 1 --resume"
).split()

QUICK = ["train", "digits", "--rule", "exact", "--epochs", "1", "--hidden", "20", "--T", "2"]
QUICK += ["--batch", "500", "--shards", "1", "--encodings", "1"]


def command(out: Path) -> list[str]:
    main = "import sys; from stbp_edu.cli.main import main; sys.exit(main())"
    return [sys.executable, "-c", main, *RUN, "--out", str(out)]


def environment() -> dict[str, str]:
    return {**os.environ, "OPENBLAS_NUM_THREADS": "1"}


def finish(out: Path) -> bytes:
    """Run to the end, and return the bytes of the parameters."""
    subprocess.run(command(out), env=environment(), check=True, capture_output=True, timeout=120)
    assert sorted(p.name for p in (out / "exact").iterdir()) == [PARAMS, RECORD]
    return (out / "exact" / PARAMS).read_bytes()


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
    # Python ends with 1 where an interrupt comes before it is there itself.
    early = (how, ended) == (signal.SIGINT, 1) and "init_import_site" in told
    assert early or ended in (0, -signal.SIGKILL, -signal.SIGINT, 130), told
    found = re.findall(r"epoch (\d+)/", told)
    return int(found[-1]) if found else 0, ended != 0


def saved_epoch(out: Path) -> int:
    """Return how far the folder's run is, whatever is in it: nothing, a checkpoint, the end."""
    folder = out / "exact"
    if (folder / CHECKPOINT).exists():
        return load_checkpoint(folder / CHECKPOINT).state.epoch
    return EPOCHS if (folder / RECORD).exists() else 0


def disturb(out: Path, moments: int, longest: float, seed: int) -> None:
    """Kill the run at random moments; each time at most one interval may be lost."""
    rng = random.Random(seed)
    reached = kills = k = 0
    while kills < moments:
        k += 1
        assert k < 4 * moments
        if saved_epoch(out) == EPOCHS and not (out / "exact" / CHECKPOINT).exists():
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


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_ten_kills_lose_at_most_one_interval_and_change_no_bit(
    seed: int, undisturbed, tmp_path: Path
) -> None:
    bits, seconds = undisturbed
    disturb(tmp_path, 10, seconds, seed=seed + 1)
    assert finish(tmp_path) == bits


@pytest.mark.slow
@pytest.mark.parametrize("which", ["save_params", "write_json"])
def test_a_disk_that_fills_at_the_end_loses_nothing(
    which, undisturbed, tmp_path: Path, monkeypatch
) -> None:
    """The last files, the parameters and the record, over those of an earlier run."""
    argv = [*RUN, "--out", str(tmp_path)]
    assert main([*argv, "--seed", "7"]) == 0

    def full(path: Path, *_: object) -> None:
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr(files, which, full)
    argv[argv.index("--resume")] = "--restart"
    assert main(argv) == 2
    monkeypatch.undo()
    if which == "write_json":  # the new parameters beside the old record: nobody is taken in
        assert main(["eval", str(tmp_path / "exact")]) == 2
    assert finish(tmp_path) == undisturbed[0]


@pytest.mark.slow
def test_damaged_parameters_are_not_taken_for_a_finished_run(tmp_path: Path, capsys) -> None:
    argv = [*RUN, "--out", str(tmp_path)]
    assert main(argv) == 0
    path = tmp_path / "exact" / PARAMS
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


@pytest.mark.slow
def test_two_runs_in_one_folder_do_not_meet(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "runs")
    with files.locked(tmp_path / "runs" / ".exact.lock"):
        for name in ("runs", "link"):
            done = subprocess.run(
                command(tmp_path / name), env=environment(), capture_output=True, text=True
            )
            assert done.returncode == 2
            assert "exact is in use by another run; wait for it" in done.stderr


def test_a_finished_run_is_replaced_only_when_asked(tmp_path: Path, capsys) -> None:
    argv = [*QUICK, "--out", str(tmp_path), "--epochs", "2"]
    assert main(argv) == 0
    path = tmp_path / "exact" / PARAMS
    before = path.read_bytes(), path.stat().st_mtime_ns
    for again in ([], ["--resume"]):  # the very same run is there already
        assert main([*argv, *again]) == 0
        for changed in (["--epochs", "1"], ["--seed", "7"], ["--encodings", "2"]):
            assert main([*argv, *changed, *again]) == 2
            assert "--restart to replace it, or --out for another" in capsys.readouterr().err
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before
    assert main([*argv, "--seed", "7", "--restart"]) == 0
    assert path.read_bytes() != before[0]


def test_parameters_without_a_record_are_kept(tmp_path: Path, capsys) -> None:
    (tmp_path / "exact").mkdir()
    path = tmp_path / "exact" / PARAMS
    path.write_bytes(b"somebody's")
    assert main([*QUICK, "--out", str(tmp_path)]) == 2
    assert f"must have its {RECORD} beside it" in capsys.readouterr().err
    assert path.read_bytes() == b"somebody's"


@pytest.mark.parametrize(("seed", "status"), [("0", 0), ("7", 2)])
def test_what_another_process_finished_meanwhile_is_kept(
    seed: str, status: int, tmp_path: Path, monkeypatch
) -> None:
    """With two rules, another process can train the second while we are at the first."""
    argv = ["train", "digits", *QUICK[4:], "--out", str(tmp_path)]
    others = [[*argv, "--rule", "classic", "--seed", seed]]
    seen = train_command.earlier_work

    def slow(config, **how):
        found = seen(config, **how)
        if others and config.settings.rule == "classic":
            assert main(others.pop()) == 0
        return found

    monkeypatch.setattr(train_command, "earlier_work", slow)
    assert main(argv) == status
    assert json.loads((tmp_path / "classic" / RECORD).read_text())["settings"]["seed"] == int(seed)


def test_only_our_own_parts_are_removed(tmp_path: Path) -> None:
    (tmp_path / "exact").mkdir()
    ours, theirs = tmp_path / "exact" / f".{PARAMS}.12.part", tmp_path / "exact" / ".mine.part"
    for path in (ours, theirs):
        path.write_bytes(b"")
    assert main([*QUICK, "--out", str(tmp_path)]) == 0
    assert theirs.exists()
    assert not ours.exists()


@pytest.mark.parametrize(
    ("number", "mend"), [(errno.EROFS, "make the folder writable"), (errno.ENOSPC, "make room")]
)
def test_what_to_do_depends_on_what_the_system_says(
    number: int, mend: str, tmp_path: Path, monkeypatch, capsys
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(files, "save_params", refuse)
    assert main([*QUICK, "--out", str(tmp_path)]) == 2
    assert f"what was saved before is whole: {mend}, and add --resume" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["taken", "taken/deeper", "exact"])
def test_a_file_in_place_of_the_folder_is_told_at_once(name: str, tmp_path: Path, capsys) -> None:
    (tmp_path / name.partition("/")[0]).write_text("a file")
    out = tmp_path if name == "exact" else tmp_path / name
    assert main([*QUICK, "--out", str(out)]) == 2
    said = capsys.readouterr().err
    assert "must be a folder, and" in said
    assert "is a file; choose another" in said
    assert "epoch" not in said


@pytest.mark.parametrize("shards", ["1", "2"])
def test_too_large_a_network_is_told(shards: str, tmp_path: Path, capsys) -> None:
    argv = [*QUICK, "--out", str(tmp_path), "--shards", shards, "--hidden", "1000000000000"]
    assert main(argv) == 2
    assert "there is not enough memory" in capsys.readouterr().err
    assert not (tmp_path / "exact").exists()


@pytest.mark.slow
def test_whatever_python_prints_at_its_start_does_no_harm(tmp_path: Path) -> None:
    # A worker is killed at the end, and what it has not flushed by then is lost.
    (tmp_path / "sitecustomize.py").write_text("print('good morning', flush=True)")
    env = {**environment(), "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}
    argv = [*command(tmp_path), "--epochs", "1", "--hidden", "20"]
    done = subprocess.run(argv, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "good morning" in done.stderr  # a worker's; our own goes to stdout


def test_a_killed_worker_is_told_in_a_sentence(tmp_path: Path, monkeypatch, capsys) -> None:
    receive = WorkerProcess.receive

    def killed(worker: WorkerProcess) -> object:
        reply = receive(worker)
        worker._process.kill()
        return reply

    monkeypatch.setattr(WorkerProcess, "receive", killed)
    assert main([*QUICK, "--shards", "2", "--out", str(tmp_path)]) == 2
    assert "a process that works on a part of the batch has ended" in capsys.readouterr().err


@pytest.mark.slow
def test_any_encoding_of_the_terminal_will_do(tmp_path: Path) -> None:
    env = {**environment(), "PYTHONIOENCODING": "ascii"}
    argv = [*command(tmp_path), "--epochs", "1", "--hidden", "20", "--encodings", "2"]
    done = subprocess.run(argv, env=env, capture_output=True)
    assert done.returncode == 0, done.stderr
    assert b"Accuracy on 359 held-out images" in done.stdout


def test_a_pipe_in_place_of_a_checkpoint_does_not_hang(tmp_path: Path, capsys) -> None:
    (tmp_path / "exact").mkdir()
    os.mkfifo(tmp_path / "exact" / CHECKPOINT)
    assert main([*QUICK, "--out", str(tmp_path)]) == 2
    assert "must be a file, and is a pipe or a device" in capsys.readouterr().err


@pytest.mark.slow
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
