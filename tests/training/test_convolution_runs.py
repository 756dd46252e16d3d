"""Networks with convolutions: they learn, go on from a checkpoint, and are read back."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from stbp_edu import backward, forward
from stbp_edu.arrays import tensors
from stbp_edu.cli.main import main, parse
from stbp_edu.cli.train import chosen_settings
from stbp_edu.convolution import ConvParams
from stbp_edu.files import load_params, save_params
from stbp_edu.training import RECIPES, Epoch, Settings, train
from stbp_edu.training.runs import Checkpoint, open_run
from stbp_edu.training.runs.checkpoint import load_checkpoint, save_checkpoint
from stbp_edu.training.sparsity import samples_with_error
from stbp_edu.training.training_job import TrainingJob
from tests.runs import bits, final

CONV = Settings(
    hidden=("4C3", "P2", 20), T=3, encoder="direct", v_th=1.0, batch=10, epochs=3, lr=1e-2,
    averaging=0.9, shift=1,
)  # fmt: skip


def epochs_of(events):
    return (e for e in events if isinstance(e, Epoch))


@pytest.mark.parametrize("encoder", ["direct", "bernoulli"])
def test_it_learns(encoder, few) -> None:
    settings = replace(CONV, encoder=encoder, epochs=8, shift=0)
    epochs = [*epochs_of(train(settings, few))]
    assert epochs[-1].loss < 0.5 * epochs[0].loss
    assert epochs[-1].test > 0.7


@pytest.mark.parametrize("shards", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_a_resumed_run_has_the_same_bits(shards, bytes_few, tmp_path) -> None:
    settings = replace(CONV, shards=shards)
    for epoch in epochs_of(train(settings, bytes_few)):
        if epoch.epoch == 1:
            save_checkpoint(tmp_path / "c.npz", Checkpoint(settings, "", epoch.state, []))
    found = load_checkpoint(tmp_path / "c.npz")
    assert isinstance(found.state.params, ConvParams)
    save_params(tmp_path / "p.npz", found.state.params)
    assert bits(load_params(tmp_path / "p.npz")) == bits(found.state.params)
    *_, resumed = epochs_of(train(settings, bytes_few, found.state))
    assert bits(resumed.state.kept) == bits(final(settings, bytes_few).state.kept)
    other = replace(settings, hidden=("4C3", "P2", 21))
    save_checkpoint(tmp_path / "c.npz", Checkpoint(other, "", found.state, []))
    with pytest.raises(ValueError, match=re.escape("its hidden layers are ('4C3', 'P2', 20)")):
        load_checkpoint(tmp_path / "c.npz")


def test_the_gradient_of_a_batch_is_that_of_all_its_images(few) -> None:
    """Images whose output is right send no error, and are left out of the backward pass."""
    settings = replace(CONV, epochs=8, shift=0, batch=200)
    state = final(replace(settings, batch=20), few).state
    job = TrainingJob(settings, few, state)
    job.begin_epoch(0, 0)
    job.gradient(0, 0, [None] * 4)
    images = few.train_images.reshape(200, -1)
    spikes = np.broadcast_to(images, (3, *images.shape))  # direct: nothing is drawn
    targets = np.eye(10, dtype=np.float32)[few.train_labels]
    neuron = settings.make_neuron()
    trace = forward(spikes, state.params, neuron)
    assert 0 < len(samples_with_error(trace, targets)) < 200
    whole = tensors(backward(trace, targets, state.params, neuron))
    for name, g in tensors(job._grads[0]).items():
        np.testing.assert_allclose(g, whole[name], rtol=1e-3, atol=1e-7, err_msg=name)


def test_the_command_trains_and_reads_what_papers_write(tmp_path, capsys) -> None:
    quick = ["--hidden", "3C3,P2,12", "--encoder", "direct", "--epochs", "1", "--T", "2"]
    out = ["--rule", "exact", "--encodings", "1", "--batch", "300", "--out", str(tmp_path)]
    assert main(["train", "digits", *quick, *out]) == 0
    assert "8x8-3C3-P2-12-10" in capsys.readouterr().out
    assert open_run(tmp_path / "exact").settings.hidden == ("3C3", "P2", 12)
    assert main(["eval", str(tmp_path / "exact"), "--encodings", "1"]) == 0
    assert chosen_settings(parse(["train", "mnist-conv"])) == RECIPES["mnist-conv"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"hidden": ("15K5", 300)}, "hidden must be made of parts such as 15C5"),
        ({"dropout": 0.5}, "dropout must be 0 for the layers ('4C3', 'P2', 20), got 0.5"),
        ({"encoder": "rows"}, "encoder must be 'bernoulli', 'direct' for the layers"),
        ({"rule": "ottt"}, "rule must be 'exact', 'classic'"),
        ({"hidden": ("4C3", 0)}, "hidden[1] must be >= 1"),
    ],
)  # fmt: skip
def test_settings_that_cannot_be(changes, words) -> None:
    with pytest.raises(ValueError, match=re.escape(words)):
        replace(CONV, **changes)
