"""Runs that are killed, meet a full disk or another run, or are damaged: nothing is lost."""

import errno
import os
import random
import re
import signal
import subprocess
import sys
import time

import pytest

from stbp_edu._support import files
from stbp_edu.cli.main import main
from stbp_edu.training import runs
from stbp_edu.training.runs import CHECKPOINT, PARAMS, RECORD

resource = pytest.importorskip("resource", reason="Windows has no such signals")

RUN = (
    "train digits --rule exact --epochs 30 --hidden 60 --T 4 --batch 100 --shift 1 "
    "--encodings 1 --resume --out"
)
SMALL = "train digits --rule exact --epochs 1 --hidden 20 --T 2 --batch 500 --encodings 1 --out"
QUICK = SMALL.split()


def command(out):
    code = "import sys; from stbp_edu.cli.main import main; sys.exit(main())"
    return [sys.executable, "-c", code, *RUN.split(), str(out)]


def finish(out):
    """Run to the end, and return the bytes of the parameters."""
    subprocess.run(command(out), check=True, capture_output=True, timeout=120)
    assert sorted(p.name for p in (out / "exact").iterdir()) == [PARAMS, RECORD]
    return (out / "exact" / PARAMS).read_bytes()


@pytest.mark.slow
def test_kills_lose_at_most_one_epoch_and_change_no_bit(tmp_path):
    undisturbed = finish(tmp_path / "whole")
    rng, checkpoint = random.Random(0), tmp_path / "exact" / CHECKPOINT
    pipes = {"stderr": subprocess.PIPE, "stdout": subprocess.DEVNULL, "text": True}
    for k in range(5):
        with subprocess.Popen(command(tmp_path), **pipes) as process:
            begun = next(line for line in process.stderr if "epoch" in line)
            time.sleep(rng.uniform(0, 0.03))
            process.send_signal(signal.SIGINT if k % 3 == 2 else signal.SIGKILL)
            *_, told = re.findall(r"epoch (\d+)/", begun + process.stderr.read())
        if process.returncode == 0:  # it was done before
            break
        assert process.returncode in (-signal.SIGKILL, -signal.SIGINT, 130)
        saved = checkpoint.exists() and runs.load_checkpoint(checkpoint).state.epoch
        assert saved >= int(told) - 1
    assert k > 0
    assert finish(tmp_path) == undisturbed


def test_a_disk_that_fails_at_the_end_loses_nothing(tmp_path, monkeypatch, capsys):
    """As the record is written, over that of an earlier run."""
    assert main([*QUICK, str(tmp_path / "whole")]) == 0
    argv = [*QUICK, str(tmp_path)]
    assert main([*argv, "--seed", "7"]) == 0

    def refuse(path, *_):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))

    with monkeypatch.context() as patched:
        patched.setattr(files, "write_json", refuse)
        assert main([*argv, "--restart"]) == 2
    assert "the files saved before are whole: make room" in capsys.readouterr().err
    with pytest.raises(FileNotFoundError):  # not the earlier run's record
        runs.open_run(tmp_path / "exact")
    assert main([*argv, "--resume"]) == 0
    params, whole = (f / "exact" / PARAMS for f in (tmp_path, tmp_path / "whole"))
    assert params.read_bytes() == whole.read_bytes()


def test_a_finished_run_is_replaced_only_when_asked(tmp_path, capsys):
    argv, path = [*QUICK, str(tmp_path)], tmp_path / "exact" / PARAMS
    assert main(argv) == 0
    before = path.read_bytes(), path.stat().st_mtime_ns
    for again in ([], ["--resume"]):  # the very same run is there already
        assert main([*argv, *again]) == 0
        for changed in ("--epochs=2", "--seed=7", "--encodings=2"):
            assert main([*argv, changed, *again]) == 2
            assert "--restart to replace it, or --out" in capsys.readouterr().err
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before
    assert main([*argv, "--seed", "7", "--restart"]) == 0
    assert path.read_bytes() != before[0]


def test_what_lies_in_the_folder_is_kept_but_for_our_own_parts(tmp_path, capsys):
    folder, argv = tmp_path / "exact", [*QUICK, str(tmp_path)]
    folder.mkdir()
    for name in (f".{PARAMS}.12.part", ".mine.part", PARAMS):
        (folder / name).write_bytes(b"somebody's")
    assert main(argv) == 2
    assert f"must have its {RECORD} beside it" in capsys.readouterr().err
    assert (folder / PARAMS).read_bytes() == b"somebody's"
    (folder / PARAMS).rename(folder / CHECKPOINT)
    assert main(argv) == 2
    (folder / CHECKPOINT).unlink()
    assert main(argv) == 0
    assert sorted(p.name for p in folder.iterdir()) == [".mine.part", PARAMS, RECORD]
