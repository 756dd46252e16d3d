"""Several processes learn what one learns; one that dies ends the run, which then goes on."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from stbp_edu.torch.train import Group, SharedNetwork
from stbp_edu.training import RECIPES, initial_state, load_digits, model
from stbp_edu.training.runs import CHECKPOINT, open_run
from stbp_edu.training.trainer import TrainingJob
from tests.bridges import shared_batches

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 300  # seconds until a test that hangs is ended
SMALL = ["--hidden", "16", "--T", "3", "--batch", "100", "--device", "cpu"]


def torchrun(*arguments):
    """Start ``torchrun`` with two processes on a free port, and return its process."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command += ["--nproc-per-node", "2", "-m", *arguments]
    both = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    return subprocess.Popen(command, cwd=ROOT, text=True, **both)


def finish(process):
    """Wait for a process and return its status and what it said."""
    try:
        said, _ = process.communicate(timeout=PATIENCE)
    finally:
        process.kill()
    return process.returncode, said


def worker(parent, rank):
    """Return the id of the process of this rank, if it has been started."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            status, env = (
                (folder / "status").read_text(),
                (folder / "environ").read_bytes(),
            )
        except OSError:  # it has ended meanwhile
            continue
        if f"PPid:\t{parent}\n" in status and f"RANK={rank}".encode() in env.split(
            b"\0"
        ):
            return int(folder.name)
    return None


def test_two_processes_have_the_gradients_of_one(tmp_path):
    """In double precision, of unequal shares: of one image, one process has none."""
    one, two = tmp_path / "one.npz", tmp_path / "two.npz"
    shared_batches.main(one)
    status, said = finish(torchrun("tests.bridges.shared_batches", str(two)))
    assert status == 0, said
    got, want = np.load(two), np.load(one)
    assert len(want) == 2 * 5
    for name, array in want.items():
        assert array.any()
        np.testing.assert_allclose(got[name], array, rtol=1e-12, atol=1e-14)


@pytest.mark.skipif(
    not Path("/proc/self/environ").exists(), reason="only Linux names the ranks"
)
def test_a_process_that_is_killed_ends_the_run_and_it_goes_on_to_the_same_bits(
    tmp_path,
):
    """Killed after the first checkpoint, resumed, and compared with a run left in peace."""
    words = [
        "stbp_edu.torch.train",
        "digits",
        *SMALL,
        "--epochs",
        "40",
        "--rule",
        "exact",
        "--out",
    ]
    status, said = finish(torchrun(*words, str(tmp_path / "whole")))
    assert status == 0, said
    folder = tmp_path / "killed"
    process = torchrun(*words, str(folder))
    begun = time.monotonic()
    while (
        not (folder / "exact" / CHECKPOINT).exists()
        and time.monotonic() - begun < PATIENCE
    ):
        time.sleep(0.02)
    os.kill(worker(process.pid, 1), signal.SIGKILL)
    status, said = finish(process)
    assert status != 0
    assert "another process of this run has ended" in said
    assert "with --resume" in said
    folder = folder / "exact"
    assert sorted(p.name for p in folder.iterdir()) == [CHECKPOINT]
    status, said = finish(torchrun(*words, str(folder.parent), "--resume"))
    assert status == 0, said
    assert "epoch 1/" not in said
    whole = tmp_path / "whole" / "exact"
    assert (folder / "params.npz").read_bytes() == (whole / "params.npz").read_bytes()
    assert open_run(folder).record["accuracy"] == open_run(whole).record["accuracy"]


STEPS = [
    {"loss": "cross-entropy", "averaging": 0.9, "shift": 1},
    {"hidden": ("12R",), "rule": "e-prop"},
    {"loss": "membrane", "read": 2, "readout": "u = 0.9 * u + x", "rule": "classic"},
]


@pytest.mark.parametrize("changes", STEPS)
def test_a_step_is_that_of_the_other_command(changes):
    settings = replace(
        RECIPES["digits"], **{"hidden": (12,), "T": 6, "batch": 40, **changes}
    )
    data, found = load_digits(), []
    for network in (partial(SharedNetwork, Group()), model.network_for):
        job = TrainingJob(settings, data, initial_state(settings, data), network)
        job.begin_epoch(0)
        found.append((job.step(0, 1e-2), job.state.m))
    (ours, got), (theirs, want) = found
    assert ours.loss == pytest.approx(theirs.loss, rel=1e-5)
    assert (ours.right, ours.rates) == (
        theirs.right,
        pytest.approx(theirs.rates, rel=1e-5),
    )
    for name, mean in want.items():  # of the gradients, which Adam keeps
        size = np.abs(mean).max()
        assert size > 1e-8, name
        np.testing.assert_allclose(
            got[name] / size, mean / size, atol=1e-4, err_msg=name
        )
