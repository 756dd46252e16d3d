"""What a newcomer tries first: the package's defaults, on the digits that come with it."""

import numpy as np
import pytest

from stbp_edu import LIF, Rectangle, backward, forward, init_params
from stbp_edu.training import bernoulli, load_digits, optim

pytestmark = pytest.mark.slow  # networks are trained

T, HIDDEN = 10, 100
DATA = load_digits()
IMAGES, HELD_OUT = (
    images.reshape(len(images), -1).astype(np.float32)
    for images in (DATA.train_images, DATA.test_images)
)
TARGETS = np.eye(10, dtype=np.float32)[DATA.train_labels]


def trained(seed, epochs=3):
    """Train the defaults, and return the accuracy on images held out."""
    rng = np.random.default_rng(seed)
    neuron, params = LIF(), init_params([64, HIDDEN, 10], rng, dtype=np.float32)
    state = optim.start(params)
    for _ in range(epochs):
        for batch in np.array_split(rng.permutation(len(IMAGES)), len(IMAGES) // 32):
            trace = forward(bernoulli(IMAGES[batch], T, rng), params, neuron)
            grads = backward(trace, TARGETS[batch], params, neuron)
            optim.update(params, grads, state, lr=4e-3)
    answers = forward(bernoulli(HELD_OUT, T, rng), params, neuron).O[-1].mean(axis=0)
    return (answers.argmax(axis=1) == DATA.test_labels).mean()


def test_the_defaults_learn_the_digits():
    assert trained(0) > 0.88


@pytest.mark.parametrize("seed", range(3))
def test_the_defaults_fire_before_any_training_and_the_notes_neuron_does_not(seed):
    rng = np.random.default_rng(seed)
    params = init_params([64, HIDDEN, 10], rng, dtype=np.float32)
    spikes = bernoulli(IMAGES[:200], T, rng)
    notes = LIF(tau=0.1, v_th=1.5, surrogate=Rectangle(a=1.0))
    assert forward(spikes, params, LIF()).O[-1].mean() > 0.01
    assert forward(spikes, params, notes).O[-1].mean() < 0.002
