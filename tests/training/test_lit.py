from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from stbp_edu import LIF, backward, forward, init_params
from stbp_edu.arrays import tensors
from stbp_edu.engine.products import run, run_back
from stbp_edu.engine.workspace import Workspace
from stbp_edu.rules import ABLATIONS, RULES
from stbp_edu.training.data.datasets import Dataset
from stbp_edu.training.loop.batch import observe
from stbp_edu.training.loop.state import begin, by_columns
from stbp_edu.training.loop.stepper import Stepper
from stbp_edu.training.settings import Settings
from stbp_edu.training.sparsity import lit
from stbp_edu.training.sparsity.lit import LitPixels, sparse
from stbp_edu.training.sparsity.narrow import draw_hidden, missed, only

NEURON = LIF(tau=0.4, v_th=0.5)
T, PIXELS = 20, 30


@pytest.fixture
def images() -> np.ndarray:
    """Twelve images with few lit pixels, others in each; the fifth has none."""
    rng = np.random.default_rng(0)
    rows = np.where(rng.random((12, PIXELS)) < 0.2, rng.random((12, PIXELS)), 0)
    rows[4] = 0
    return rows


def encoded(rows: np.ndarray) -> LitPixels:
    images, columns = rows.nonzero()
    spikes = np.random.default_rng(1).random((T, len(columns))) < rows[images, columns]
    starts = np.searchsorted(images, np.arange(len(rows) + 1))
    return LitPixels(spikes.astype(float), columns, starts, PIXELS)


@pytest.mark.parametrize("wide", [400, 3])
@pytest.mark.parametrize("rule", RULES + ABLATIONS)
def test_image_by_image_is_the_same_as_all_at_once(images, rule, wide, monkeypatch) -> None:
    monkeypatch.setattr(lit, "WIDE", wide)  # several stretches of neurons, not all equally wide
    rng = np.random.default_rng(2)
    net = by_columns(init_params([PIXELS, 7, 3], rng, scheme="uniform", scale=3.0))
    spikes, targets = encoded(images), rng.random((12, 3))
    dense = spikes.dense()
    assert dense.shape == spikes.shape == (T, 12, PIXELS)
    assert not dense[:, images == 0].any()
    trace, wanted = run(spikes, net, NEURON, None, Workspace()), forward(dense, net, NEURON)
    for n in (1, 2):
        np.testing.assert_allclose(trace.U[n], wanted.U[n], rtol=1e-12, atol=1e-14)
        np.testing.assert_array_equal(trace.O[n], wanted.O[n])
    work = Workspace()
    found = run_back(trace, targets, net, NEURON, rule, work, S=12, binary=True)
    for name, g in tensors(backward(wanted, targets, net, NEURON, rule)).items():
        np.testing.assert_allclose(tensors(found)[name], g, rtol=1e-10, atol=1e-15)


def test_images_without_a_mistake_are_left_out(images) -> None:
    rng = np.random.default_rng(3)
    net = by_columns(init_params([PIXELS, 7, 3], rng, scheme="uniform", scale=3.0))
    trace, targets = run(encoded(images), net, NEURON, None, Workspace()), rng.random((12, 3))
    perfect = [0, 4, 11]
    targets[perfect] = trace.O[-1].mean(axis=0)[perfect]
    few = only(trace, missed(trace, targets))
    kept = [k for k in range(12) if k not in perfect]
    np.testing.assert_array_equal(few.O[0].dense(), trace.O[0].dense()[:, kept])
    work = Workspace()
    found = run_back(few, targets[kept], net, NEURON, "exact", work, S=12, binary=True)
    wanted = forward(trace.O[0].dense(), net, NEURON)
    for name, g in tensors(backward(wanted, targets, net, NEURON)).items():
        np.testing.assert_allclose(tensors(found)[name], g, rtol=1e-10, atol=1e-15)


def test_the_rate_is_that_of_the_pixels_that_any_image_lights(images) -> None:
    net = by_columns(init_params([PIXELS, 7, 3], np.random.default_rng(4), scheme="uniform"))
    trace = run(encoded(images), net, NEURON, None, Workspace())
    seen = observe(trace, np.zeros((12, 3)), np.zeros(12, int))
    dense = trace.O[0].dense()
    assert seen.rates[0] == pytest.approx(dense[:, :, images.any(axis=0)].mean())


def test_few_steps_or_images_alike_are_better_all_at_once(images) -> None:
    columns = np.arange(PIXELS)
    assert sparse(images, columns, 16)
    assert not sparse(images, columns, 15)
    assert not sparse(np.ones((3, PIXELS)), columns, 100)


VARIANTS = {
    "plain": {},
    "dropout": {"hidden": (9, 8), "dropout": 0.5},
    "direct": {"encoder": "direct"},
    "parts of two sizes": {"batch": 11},
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_trainer_goes_image_by_image_and_finds_the_same_gradient(images, variant) -> None:
    settings = Settings(hidden=(9,), T=T, batch=12, shards=2, init_scale=3.0, epochs=1)
    settings = replace(settings, **VARIANTS[variant])
    data = Dataset(*[images.reshape(12, 5, 6).astype(np.float32), np.arange(12) % 3] * 2)
    given = (settings, data.train_images, data.train_labels, begin(settings, data))
    drawn: list[LitPixels] = []

    class Singly(Stepper):
        def _encode(self, part):
            drawn.append(super()._encode(part))
            return drawn[-1]

    class Together(Stepper):
        def _columns(self, rows):
            return np.arange(PIXELS)

        def _encode(self, part):
            return drawn.pop(0).dense()

    def gradients(kind: type[Stepper]) -> dict[str, np.ndarray]:
        step = kind(*given)
        for i in (0, 1):
            step.begin(i, 0)
        hidden = draw_hidden(given[-1].params.sizes, settings.dropout, np.random.default_rng(5))
        for i in (0, 1):
            step.learn(i, 0, hidden)
        return {f"{i}.{name}": g for i in (0, 1) for name, g in tensors(step._grads[i]).items()}

    found = gradients(Singly)
    assert all(isinstance(d, LitPixels) for d in drawn)
    assert len(drawn) == 2
    wanted = gradients(Together)
    assert any(g.any() for g in wanted.values())
    for name, g in wanted.items():
        np.testing.assert_allclose(found[name], g, rtol=1e-4, atol=1e-8, err_msg=name)
