"""What only the further trials can notice: samples left out, and a direct term that is misread."""

import numpy as np
import pytest

from stbp_edu.cases import backward_sweep
from stbp_edu.engine import recurrence
from stbp_edu.losses import Direct
from stbp_edu.losses.reading import Built, direct_term
from stbp_edu.verify import further_trials, trials

pytestmark = pytest.mark.slow  # thirty thousand samples
NEURON = trials.NEURONS[-3]


@pytest.mark.parametrize("wrong", [slice(0, 20_000), slice(20_000, 30_000)], ids=str)
def test_many_samples_show_a_block_that_is_left_out(wrong, monkeypatch):
    assert all(o.ok for o in further_trials.by_blocks(np.random.default_rng(0), NEURON))
    monkeypatch.setattr(recurrence, "_blocks", lambda _: [wrong])
    assert not all(o.ok for o in further_trials.by_blocks(np.random.default_rng(0), NEURON))


def test_a_direct_term_that_loses_its_potentials_shows(monkeypatch):
    def wrong(loss, *rest):
        term = direct_term(loss, *rest)
        return term._replace(u=None) if isinstance(loss, Direct) else term

    problem = trials.draw(np.random.default_rng(0), *further_trials.SHAPE, NEURON)
    assert all(o.ok for o in further_trials.by_losses(problem))
    monkeypatch.setattr(backward_sweep, "direct_term", wrong)
    failed = [o.message for o in further_trials.by_losses(problem) if not o.ok]
    assert failed
    assert all(message.startswith("Direct(") for message in failed)


def test_a_direct_term_that_a_loss_tells_wrong_shows(monkeypatch):
    problem = trials.draw(np.random.default_rng(0), *further_trials.SHAPE, NEURON)
    monkeypatch.setattr(Built, "direct", lambda loss, *rest: loss.terms(*rest, 3))  # of 2 samples
    failed = [o.message for o in further_trials.by_losses(problem) if not o.ok]
    assert failed
    assert all("told the direct term" in message for message in failed)
