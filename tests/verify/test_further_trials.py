"""What only the further trials can notice: samples left out, and a direct term that is misread."""

import numpy as np
import pytest

from stbp_edu import LIF, Gaussian, forward
from stbp_edu.cases import backward_sweep
from stbp_edu.engine import recurrence
from stbp_edu.losses import Direct
from stbp_edu.losses.reading import Built, direct_term
from stbp_edu.verify import further_trials, trials

NEURON = trials.NEURONS[-3]


@pytest.mark.slow  # thirty thousand samples
@pytest.mark.parametrize("wrong", [slice(0, 20_000), slice(20_000, 30_000)], ids=str)
def test_many_samples_show_a_block_that_is_left_out(wrong, monkeypatch):
    assert all(o.ok for o in further_trials.by_blocks(np.random.default_rng(0), NEURON))
    monkeypatch.setattr(recurrence, "_blocks", lambda _: [wrong])
    assert not all(o.ok for o in further_trials.by_blocks(np.random.default_rng(0), NEURON))


@pytest.mark.slow
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


@pytest.mark.slow
def test_a_direct_term_that_a_loss_tells_wrong_shows(monkeypatch):
    problem = trials.draw(np.random.default_rng(0), *further_trials.SHAPE, NEURON)
    monkeypatch.setattr(Built, "direct", lambda loss, *rest: loss.terms(*rest, 3))  # of 2 samples
    failed = [o.message for o in further_trials.by_losses(problem) if not o.ok]
    assert failed
    assert all("told the direct term" in message for message in failed)


SMALL = (1, 2), 2
CELLS = ["c1-delta", "c1-epsilon", "c3-delta", "c3-epsilon", "c5-b", "c5-w"]


def labels(outcomes):
    """What is compared: loss, form, rule, oracle, and how near it must come; with the ids."""
    found = {}
    for o in outcomes:
        assert o.ok, o.message
        loss, _, rest = o.message.rpartition(": ")[0].partition(": ")
        form = rest.partition(" form, ")[0]
        found.setdefault((loss, form, o.rule, o.oracle, o.limit), []).append(o.id)
    return found


def test_every_loss_and_both_direct_terms_meet_every_oracle():
    problem = trials.draw(np.random.default_rng(1), *SMALL, NEURON, S=3)
    outcomes = list(further_trials.by_losses(problem))
    values = [o for o in outcomes if o.id == "loss"]
    assert [o.message.partition(" against")[0] for o in values] == [
        *("loss LastSteps(k=2)", "loss Membrane(k=1)", "loss Membrane(k=None)"),
        *("loss CrossEntropy(counts=False)", "loss CrossEntropy(counts=True)"),
        "loss StepCrossEntropy()",
    ]
    assert {o[1:3] + o[4:6] for o in values} == {("both", "loss values", 1e-12, False)}
    assert all(o.ok for o in values)
    found = labels(o for o in outcomes if o.id != "loss")
    expected, classic = {}, ["c3-delta-classic" if id == "c3-delta" else id for id in CELLS]
    losses = {key[0] for key in found}
    named = [o.message.partition(" against")[0].removeprefix("loss ") for o in values]
    assert losses > set(named)
    assert len(losses) == 8
    for loss in losses:
        for form in (
            "vector",
            "engine",
            *(["engine (told the direct term)"] if loss in named else []),
        ):
            ids = CELLS if form == "vector" else CELLS[4:]
            for oracle, limit in (("autodiff", 1e-12), ("differences", 1e-6)):
                expected[loss, form, "exact", oracle, limit] = ids
            if not form.endswith(")"):
                kept = classic if form == "vector" else classic[4:]
                expected[loss, form, "classic", "paths that it keeps", 1e-12] = kept
    assert found == expected


def test_targets_become_probabilities_and_the_twin_is_run(monkeypatch):
    seen = []

    def forms(trace, problem, rule, loss):
        seen.append((trace, problem, rule))
        return {}

    monkeypatch.setattr(further_trials, "_forms", forms)
    monkeypatch.setattr(further_trials, "LOSSES", ())
    problem = trials.draw(np.random.default_rng(1), *SMALL, NEURON, S=3)
    assert list(further_trials.by_losses(problem)) == []
    for trace, used, _ in seen:
        assert used.targets.sum(axis=1) == pytest.approx(1.0)
        assert used.targets[:, 0] / used.targets[:, 1] == pytest.approx(
            problem.targets[:, 0] / problem.targets[:, 1]
        )
        assert trace.O[1] == pytest.approx(NEURON.H(trace.U[1]))
    assert [rule for *_, rule in seen] == ["exact", "classic"] * 2


@pytest.mark.parametrize("gate", ["linear", "soft"])
def test_every_ablation_meets_the_paths_that_it_keeps(gate):
    """On spikes, where what an ablation forgets shows."""
    neuron = LIF(0.5, 0.3, Gaussian(0.8), gate)
    problem = trials.draw(np.random.default_rng(1), (1, 2), 3, neuron)
    assert forward(*problem[::2], neuron).O[1].any()
    found = labels(further_trials.by_ablations(problem))
    cells = CELLS[:2] + CELLS[2:4] * 2 + CELLS[4:]
    for rule in ("detached-reset", "leak-only", "spatial-only"):
        for form, ids in (("vector", cells), ("engine", cells[6:])):
            assert found.pop(("Rate()", form, rule, "paths that it keeps", 1e-12)) == ids
    assert not found


def test_a_large_batch_meets_autodiff(monkeypatch):
    asked = []

    def few(rng, sizes, T, neuron, S):
        asked.append((rng, sizes, T, neuron, S))
        return trials.draw(rng, sizes, T, neuron, S=3)

    monkeypatch.setattr(further_trials, "draw", few)
    rng = np.random.default_rng(0)
    outcomes = list(further_trials.by_blocks(rng, NEURON))
    assert asked == [(rng, (2, 4, 2), 6, NEURON, 30_000)]
    assert 2 * recurrence.BLOCK < 4 * 30_000  # more than two blocks of the wider layer
    assert [o[:3] + o[4:6] for o in outcomes] == [
        (id, "exact", "autodiff", 1e-12, False) for id in ("c5-b", "c5-w") * 2
    ]
    assert all(o.ok and o.message.startswith("engine (many samples) form, ") for o in outcomes)
