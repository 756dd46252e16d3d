from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from stbp_edu import LIF, backward, forward, init_params
from stbp_edu.arrays import by_columns, tensors
from stbp_edu.engine import Engine, SparseInput, is_sparse, sparse_input
from stbp_edu.rules import ABLATIONS, RULES
from stbp_edu.training.data.datasets import Dataset
from stbp_edu.training.evaluation import observe
from stbp_edu.training.settings import Settings
from stbp_edu.training.sparsity import draw_dropout, samples_with_error, select_samples
from stbp_edu.training.state import initial_state
from stbp_edu.training.training_job import TrainingJob

NEURON = LIF(tau=0.4, v_th=0.5)
T, PIXELS = 20, 30


@pytest.fixture
def images() -> np.ndarray:
    """Twelve images with few active pixels, others in each; the fifth has none."""
    rng = np.random.default_rng(0)
    rows = np.where(rng.random((12, PIXELS)) < 0.2, rng.random((12, PIXELS)), 0)
    rows[4] = 0
    return rows


def encoded(rows: np.ndarray) -> SparseInput:
    images, columns = rows.nonzero()
    spikes = np.random.default_rng(1).random((T, len(columns))) < rows[images, columns]
    return SparseInput(spikes.astype(float), images, columns, rows.shape)


@pytest.mark.parametrize("wide", [400, 3])
@pytest.mark.parametrize("rule", RULES + ABLATIONS)
def test_image_by_image_is_the_same_as_all_at_once(images, rule, wide, monkeypatch) -> None:
    monkeypatch.setattr(sparse_input, "WIDE", wide)  # 3: stretches of unequal width
    rng = np.random.default_rng(2)
    net = by_columns(init_params([PIXELS, 7, 3], rng, scheme="uniform", scale=3.0))
    spikes, targets = encoded(images), rng.random((12, 3))
    dense = spikes.dense()
    assert dense.shape == spikes.shape == (T, 12, PIXELS)
    assert not dense[:, images == 0].any()
    engine = Engine(net, NEURON, rule)
    trace, wanted = engine.forward(spikes), forward(dense, net, NEURON)
    for n in (1, 2):
        np.testing.assert_allclose(trace.U[n], wanted.U[n], rtol=1e-12, atol=1e-14)
        np.testing.assert_array_equal(trace.O[n], wanted.O[n])
    found = engine.gradients(trace, targets, S=12)
    for name, g in tensors(backward(wanted, targets, net, NEURON, rule)).items():
        np.testing.assert_allclose(tensors(found)[name], g, rtol=1e-10, atol=1e-15)


def test_images_without_a_mistake_are_left_out(images) -> None:
    rng = np.random.default_rng(3)
    net = by_columns(init_params([PIXELS, 7, 3], rng, scheme="uniform", scale=3.0))
    engine = Engine(net, NEURON)
    trace, targets = engine.forward(encoded(images)), rng.random((12, 3))
    perfect = [0, 4, 11]
    targets[perfect] = trace.O[-1].mean(axis=0)[perfect]
    few = select_samples(trace, samples_with_error(trace, targets))
    kept = [k for k in range(12) if k not in perfect]
    np.testing.assert_array_equal(few.O[0].dense(), trace.O[0].dense()[:, kept])
    found = engine.gradients(few, targets[kept], S=12)
    wanted = forward(trace.O[0].dense(), net, NEURON)
    for name, g in tensors(backward(wanted, targets, net, NEURON)).items():
        np.testing.assert_allclose(tensors(found)[name], g, rtol=1e-10, atol=1e-15)


def test_images_without_an_active_pixel_can_be_all_that_is_left(images) -> None:
    net = by_columns(init_params([PIXELS, 7, 3], np.random.default_rng(3), scheme="uniform"))
    engine = Engine(net, NEURON)
    few = select_samples(engine.forward(encoded(images)), np.array([4]))
    assert few.O[0].shape == (T, 1, PIXELS)
    assert not engine.gradients(few, np.ones((1, 3)), S=1).W[1].any()


def test_the_rate_is_that_of_the_pixels_active_in_any_image(images) -> None:
    net = by_columns(init_params([PIXELS, 7, 3], np.random.default_rng(4), scheme="uniform"))
    trace = Engine(net, NEURON).forward(encoded(images))
    seen = observe(trace, np.zeros((12, 3)))
    dense = trace.O[0].dense()
    assert seen.rates[0] == pytest.approx(dense[:, :, images.any(axis=0)].mean())


def test_few_steps_or_images_alike_are_better_all_at_once(images) -> None:
    columns = np.arange(PIXELS)
    assert is_sparse(images, columns, 16)
    assert not is_sparse(images, columns, 15)
    assert not is_sparse(np.ones((3, PIXELS)), columns, 100)
    for active, pays in ((0, False), (1, True), (59, True), (60, False)):  # 60 of 150: two in five
        rows = (np.arange(5 * PIXELS) < active).reshape(5, PIXELS)
        assert is_sparse(rows, columns, 16) == pays


VARIANTS = {
    "plain": {},
    "dropout": {"hidden": (9, 8), "dropout": 0.5},
    "direct": {"encoder": "direct"},
    "shards of two sizes": {"batch": 11},
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_trainer_goes_image_by_image_and_finds_the_same_gradient(images, variant) -> None:
    settings = Settings(hidden=(9,), T=T, batch=12, shards=2, init_scale=3.0, epochs=1)
    settings = replace(settings, **VARIANTS[variant])
    data = Dataset(*[images.reshape(12, 5, 6).astype(np.float32), np.arange(12) % 3] * 2)
    state = initial_state(settings, data)
    drawn: list[SparseInput] = []

    class Singly(TrainingJob):
        def _encode(self, images):
            drawn.append(super()._encode(images))
            return drawn[-1]

    class Together(TrainingJob):
        def _columns(self, rows):
            return np.arange(PIXELS)

        def _encode(self, images):
            return drawn.pop(0).dense()

    def gradients(kind: type[TrainingJob]) -> dict[str, np.ndarray]:
        job = kind(settings, data, state)
        for i in (0, 1):
            job.begin_epoch(i, 0)
        hidden = draw_dropout(state.params.sizes, settings.dropout, np.random.default_rng(5))
        for i in (0, 1):
            job.gradient(i, 0, hidden)
        return {f"{i}.{name}": g for i in (0, 1) for name, g in tensors(job._grads[i]).items()}

    found = gradients(Singly)
    assert all(isinstance(d, SparseInput) for d in drawn)
    assert len(drawn) == 2
    wanted = gradients(Together)
    assert any(g.any() for g in wanted.values())
    for name, g in wanted.items():
        np.testing.assert_allclose(found[name], g, rtol=1e-4, atol=1e-8, err_msg=name)
