"""Shards of a batch in processes: they change no bit, and add up to the whole."""

from __future__ import annotations

import os
import sys
from dataclasses import replace

import numpy as np
import pytest

from stbp_edu import backward, forward, loss
from stbp_edu.arrays import add_up, tensors
from stbp_edu.training.data.datasets import Dataset
from stbp_edu.training.evaluation import merge
from stbp_edu.training.state import initial_state
from stbp_edu.training.trainer import train
from stbp_edu.training.training_job import TrainingJob
from stbp_edu.training.workers import worker_pool
from tests.runs import bits, final


def test_processes_change_no_bit(small, bytes_few, monkeypatch) -> None:
    settings = replace(small, shards=3, batch=25)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    together = final(settings, bytes_few)
    monkeypatch.setattr(sys, "platform", "emscripten")  # no processes on a web page
    alone = final(settings, bytes_few)
    assert bits(together.state.params) == bits(alone.state.params)
    assert together.test == alone.test


@pytest.mark.parametrize("T", [4, 17])  # with many steps, image by image
@pytest.mark.parametrize("dark", [False, True])
def test_a_shard_may_be_dark_or_smaller_than_the_others(small, bytes_few, T, dark, monkeypatch):
    """43 images in batches of 10: the last has three shards of one image."""
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    images = np.pad(bytes_few.train_images[:43], ((0, 0), (0, 9), (0, 9)))
    images *= not dark
    data = Dataset(images, bytes_few.train_labels[:43], images[:5], bytes_few.train_labels[:5])
    settings = replace(small, T=T, shards=3, batch=10, shift=2)
    together = final(settings, data)
    monkeypatch.setattr(sys, "platform", "win32")
    assert bits(together.state.params) == bits(final(settings, data).state.params)
    assert together.rates[0] > 0 or dark


def test_a_state_to_go_on_from_is_left_as_it_is(small, bytes_few, monkeypatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    for shards in (1, 2):
        settings = replace(small, shards=shards)
        state = initial_state(settings, bytes_few)
        before = bits(state.params), bits(state.kept)
        *_, last = train(settings, bytes_few, state)
        assert (bits(state.params), bits(state.kept)) == before
        assert bits(last.state.params) != before[0]
        kept = last.state.kept.W[1]
        assert kept.base is None or isinstance(kept.base, np.ndarray)  # no memory of the pool


def test_a_run_that_diverges_in_another_process_says_so(small, bytes_few, monkeypatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    settings = replace(small, shards=2, optimizer="sgd", lr=1e39)
    with pytest.raises(ValueError, match="the run diverged in epoch 1"):
        list(train(settings, bytes_few))


def test_shards_give_the_gradient_of_the_whole_batch(small, few) -> None:
    """Direct coding draws nothing, so that the shards must add up to one backward pass."""
    settings = replace(small, encoder="direct", batch=21, shards=2)
    state = initial_state(settings, few)
    with worker_pool(TrainingJob(settings, few, state), 2) as workers:
        workers.map(TrainingJob.begin_epoch, 0)
        batch = merge(workers.map(TrainingJob.gradient, 0, [None, None]))
        job = workers.job
        add_up(job._grads)
        grads = job._grads[0]
    order = job._order[:21]
    rows, labels = few.train_images[order].reshape(21, -1), few.train_labels[order]
    neuron, targets = settings.make_neuron(), np.eye(10, dtype=np.float32)[labels]
    trace = forward(np.stack([rows] * settings.T), state.params, neuron)
    expected = backward(trace, targets, state.params, neuron)
    for name, array in tensors(expected).items():
        np.testing.assert_allclose(tensors(grads)[name], array, rtol=1e-4, atol=1e-7)
    assert batch.size == 21
    assert batch.loss == pytest.approx(loss(trace, targets), rel=1e-6)
    answers = trace.O[-1].mean(axis=0).argmax(axis=1)
    assert batch.right == (answers == labels).sum()
    for n in (1, 2):
        assert batch.rates[n] == pytest.approx(trace.O[n].mean(), rel=1e-5)
