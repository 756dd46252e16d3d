"""Several processes learn what one learns; one that dies ends the run, which then goes on."""

import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from stbp_edu import backward, forward
from stbp_edu.arrays import tensors
from stbp_edu.files import load_params, read_json
from stbp_edu.torch import to_params, train
from stbp_edu.torch.distributed import Group, group
from stbp_edu.torch.train import start, train_epoch
from stbp_edu.training import Settings, encode, load_digits
from stbp_edu.training.data import load_dataset
from stbp_edu.training.encoders import TIMED
from stbp_edu.training.runs import folder_lock, open_run
from stbp_edu.training.training_job import EPOCH
from tests.bridges.ten_steps import IMAGES, SETTINGS

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 300  # seconds until a test that hangs is ended
SMALL = ["--hidden", "16", "--T", "3", "--batch", "100", "--dtype", "float64", "--device", "cpu"]


def torchrun(*arguments, processes=2):
    """Start ``torchrun`` on a free port and return its process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", str(processes)]
    command += ["--master-addr", "127.0.0.1", "--master-port", str(port), "-m", *arguments]
    return subprocess.Popen(
        command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )


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
            status, env = (folder / "status").read_text(), (folder / "environ").read_bytes()
        except OSError:  # it has ended meanwhile
            continue
        if f"PPid:\t{parent}\n" in status and f"RANK={rank}".encode() in env.split(b"\0"):
            return int(folder.name)
    return None


def test_two_processes_take_the_steps_of_one(tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    alone = [sys.executable, "-m", "tests.bridges.ten_steps", str(one)]
    subprocess.run(alone, cwd=ROOT, check=True)
    status, said = finish(torchrun("tests.bridges.ten_steps", str(two)))
    assert status == 0, said
    steps = -(-IMAGES // SETTINGS.batch)
    assert (steps, IMAGES % SETTINGS.batch) == (10, 1)
    for step in range(steps):
        got, want = (tensors(load_params(f / f"{step}.npz")) for f in (two, one))
        for name in want:
            np.testing.assert_allclose(got[name], want[name], rtol=1e-12, atol=1e-12)
    losses = [np.load(f / "losses.npy") for f in (one, two)]
    np.testing.assert_allclose(*losses, rtol=1e-12)
    first, last = (load_params(one / f"{step}.npz").W[1] for step in (0, steps - 1))
    assert np.abs(first - last).max() > 1e-2  # they have gone somewhere


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="only Linux names the ranks")
def test_a_process_that_is_killed_ends_the_run_and_it_goes_on_to_the_same_bits(tmp_path):
    """Killed after the first checkpoint, resumed, and compared with a run left in peace."""
    words = ["stbp_edu.torch.train", "digits", *SMALL, "--epochs", "40", "--out"]
    status, said = finish(torchrun(*words, str(tmp_path / "whole")))
    assert status == 0, said
    folder = tmp_path / "killed"
    process = torchrun(*words, str(folder))
    begun = time.monotonic()
    while not (folder / train.CHECKPOINT).exists() and time.monotonic() - begun < PATIENCE:
        time.sleep(0.02)
    os.kill(worker(process.pid, 1), signal.SIGKILL)
    status, said = finish(process)
    assert status != 0
    assert "another process of this run has ended" in said
    assert "with --resume" in said
    assert sorted(p.name for p in folder.iterdir()) == [train.CHECKPOINT]
    status, said = finish(torchrun(*words, str(folder), "--resume"))
    assert status == 0, said
    assert "epoch 1 of" not in said
    resumed, whole = (f / "params.npz" for f in (folder, tmp_path / "whole"))
    assert resumed.read_bytes() == whole.read_bytes()
    assert (
        read_json(folder / "record.json")["accuracy"]
        == (read_json(tmp_path / "whole" / "record.json")["accuracy"])
    )


def run(folder, *more):
    return train.main(["digits", *SMALL, "--epochs", "2", "--out", str(folder), *more])


def test_a_finished_run_is_read_by_the_command_line_s_tools(tmp_path, capsys):
    assert run(tmp_path) == 0
    found = open_run(tmp_path)
    assert found.params.sizes == (64, 16, 10)
    assert found.params.dtype == np.float64
    assert [p["epoch"] for p in found.record["curves"]] == [1, 2]
    assert run(tmp_path) == 2
    assert "--restart to train it again" in capsys.readouterr().err
    assert run(tmp_path, "--restart") == 0


@pytest.mark.parametrize("encoder", ["rows", "saccades"])
def test_an_encoder_that_shows_something_else_at_each_step_is_trained_with(tmp_path, encoder):
    more = ["--epochs", "6", "--encoder", encoder, "--T", "9", "--lr", "1e-2", "--tau", "0.8"]
    assert run(tmp_path, *more) == 0
    done = open_run(tmp_path)
    assert done.params.sizes[0] == {"rows": 8, "saccades": 392}[encoder]
    assert done.record["accuracy"]["mean"] > 0.2  # chance is 0.1


def test_a_folder_in_which_another_run_trains_is_left_alone(tmp_path, capsys):
    """One process, and two: the first says it before the others meet the checkpoint there."""
    folder = tmp_path / "taken"
    with folder_lock(folder):
        assert run(folder, "--restart") == 2
        assert f"{folder} is in use by another run; wait for it" in capsys.readouterr().err
        words = ["stbp_edu.torch.train", "digits", *SMALL, "--out", str(folder)]
        status, said = finish(torchrun(*words))
    assert status != 0
    assert f"{folder} is in use by another run; wait for it" in said
    assert not folder.exists()


@pytest.fixture
def unfinished(tmp_path, monkeypatch):
    """Return the folder of a run that was stopped after its first epoch."""
    whole = train.save

    def save_and_stop(*arguments):
        whole(*arguments)
        raise ValueError("stopped here")

    with monkeypatch.context() as patched:
        patched.setattr(train, "save", save_and_stop)
        assert run(tmp_path) == 2
    return tmp_path


def test_a_run_is_resumed_only_where_that_is_asked_for_and_with_its_settings(unfinished, capsys):
    for more, words in (
        ([], "holds an unfinished run: --resume to go on"),
        (["--resume", "--lr", "0.5"], "a run with another lr"),
        (["--resume", "--dtype", "float32"], "a run with another dtype"),
    ):
        assert run(unfinished, *more) == 2
        assert words in capsys.readouterr().err
    (unfinished / train.CHECKPOINT).write_bytes(b"not a checkpoint")
    assert run(unfinished, "--resume") == 2
    assert "must be a checkpoint of this command" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("task", "changes"),
    [
        ("digits", {"rule": "exact"}),
        ("digits", {"rule": "classic", "gate": "linear"}),
        ("delayed-xor", {}),
    ],
)
def test_a_step_goes_down_the_gradient_of_the_recipe_s_loss(task, changes):
    args = train.arguments([task, "--hidden", "12", "--batch", "40", "--init-scale", "2"])
    settings = replace(train.chosen_settings(args), **changes)
    data = load_dataset(task)
    run = start(settings, data, Group(), np.float64)
    params = to_params(run.network.state_dict())
    value = next(train_epoch(run))

    some = np.random.default_rng([settings.seed, EPOCH, 0]).permutation(len(data.train_labels))[:40]
    rng, images = np.random.default_rng([settings.seed, EPOCH, 0, 0]), data.train_images[some]
    seen = images if settings.encoder in TIMED else images.reshape(40, -1)
    spikes = encode(settings.encoder, seen, settings.T, rng, hold=settings.hold).astype(float)
    neuron, loss = settings.make_neuron(), settings.make_loss()
    trace, y = forward(spikes, params, neuron), np.eye(data.classes)[data.train_labels[some]]
    assert value == pytest.approx(loss.value(trace, y), rel=1e-12)
    expected = backward(trace, y, params, neuron, rule=settings.rule, loss=loss)
    for layer, W in zip(run.network, expected.W[1:], strict=True):
        assert np.abs(W).max() > 1e-6
        np.testing.assert_allclose(layer.weights.weight.grad, W, rtol=1e-10, atol=1e-15)


@pytest.mark.parametrize(
    ("task", "more", "words"),
    [
        ("mnist-conv", [], "mnist-conv must have fully connected layers in this command"),
        ("digits", ["--loss", "membrane"], "loss must be rate or last-steps in this command"),
    ],
)
def test_what_this_command_does_not_do_is_refused_before_anything_is_fetched(
    capsys, task, more, words, monkeypatch
):
    monkeypatch.setattr(train, "load_dataset", None)
    assert train.main([task, *more]) == 2
    assert words in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--rule", "exakt"], "rule must be one of"),
        (["--batch", "0"], "batch must be >= 1"),
        (["--device", "tpu"], "device must be cpu, or cuda"),
        *([] if torch.cuda.is_available() else [(["--device", "cuda"], "where there is a GPU")]),
    ],
)
def test_bad_settings_are_named_and_nothing_is_written(tmp_path, capsys, more, words):
    assert run(tmp_path / "new", *more) == 2
    assert words in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


def test_shares_are_a_partition():
    for size in (1, 2, 3, 8):
        places = [list(range(20))[Group(rank, size).share(7)] for rank in range(size)]
        assert [i for place in places for i in place] == list(range(7))


def test_a_network_with_convolutions_is_refused_by_its_type():
    settings = Settings(hidden=("2C3", 5), encoder="direct", epochs=1)
    with group("cpu") as alone, pytest.raises(TypeError, match="of type Params, got ConvParams"):
        start(settings, load_digits(), alone)
