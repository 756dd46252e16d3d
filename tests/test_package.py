"""What `import stbp_edu` costs and offers, and what its defaults do on the digits."""

import json
import subprocess
import sys

import numpy as np
import pytest

import stbp_edu
from stbp_edu import LIF, Rectangle, init_params
from stbp_edu.training import bernoulli, load_digits, optimiser
from tests.networks import fast_backward, fast_forward

SHOW = """
import json, sys
before = set(sys.modules)
import numpy
numpy_alone = set(sys.modules)
import stbp_edu
new = {m.partition(".")[0] for m in set(sys.modules) - numpy_alone}
print(json.dumps(sorted(new - set(sys.stdlib_module_names))))
"""


def test_import_loads_numpy_alone():
    shown = subprocess.run(
        [sys.executable, "-c", SHOW], capture_output=True, text=True, check=True
    )
    assert json.loads(shown.stdout) == ["numpy", "stbp_edu"]


def test_every_public_name_exists_and_is_documented():
    assert set(stbp_edu.__all__) <= set(dir(stbp_edu))
    for name in stbp_edu.__all__:
        assert getattr(stbp_edu, name).__doc__


DATA = load_digits()
IMAGES, HELD_OUT = (
    a.reshape(len(a), -1) for a in (DATA.train_images, DATA.test_images)
)
TARGETS = np.eye(10, dtype=np.float32)[DATA.train_labels]
NOTES = LIF(tau=0.1, v_th=1.5, surrogate=Rectangle(a=1.0))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_the_defaults_fire_at_once_and_learn_and_the_notes_neuron_is_silent(seed):
    rng = np.random.default_rng(seed)
    params = init_params([64, 100, 10], rng, dtype=np.float32)
    shown = bernoulli(IMAGES[:200], 10, rng)
    assert fast_forward(shown, params, LIF()).O[-1].mean() > 0.01
    assert fast_forward(shown, params, NOTES).O[-1].mean() < 0.002
    state = optimiser.start(params)
    for _ in range(3):
        for batch in np.array_split(rng.permutation(len(IMAGES)), len(IMAGES) // 32):
            trace = fast_forward(bernoulli(IMAGES[batch], 10, rng), params, LIF())
            gradients = fast_backward(trace, TARGETS[batch], params, LIF())
            optimiser.adam(state, gradients, lr=4e-3)
    shown = bernoulli(HELD_OUT, 10, rng)
    answers = fast_forward(shown, params, LIF()).O[-1].mean(axis=0)
    assert (answers.argmax(axis=1) == DATA.test_labels).mean() > 0.88
