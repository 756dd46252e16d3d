"""Training: events, a step takes the gradient of its batch under every rule; evaluation, FGSM."""

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import pytest

from stbp_edu import LIF, Gaussian, cases, init_params
from stbp_edu.arrows import part_one
from stbp_edu.case_rules import ABLATIONS, CASE_RULES
from stbp_edu.losses import LOSSES, Direct
from stbp_edu.losses.of_states import Built
from stbp_edu.parameters import named_arrays
from stbp_edu.training import (
    Dataset,
    Epoch,
    Settings,
    Step,
    evaluate,
    initial_state,
    train,
)
from stbp_edu.training.evaluation import gains_above_1, observe
from stbp_edu.training.model import draw_dropout, drop, passes, with_dropout
from stbp_edu.training.setting_kinds import FGSM
from stbp_edu.training.trainer import TrainingJob
from tests.networks import fast_backward, fast_forward, make_problem
from tests.runs import bits, epochs, first_step


def test_events_tell_the_whole_story(small, few) -> None:
    settings = replace(small, batch=64)
    events = list(train(settings, few))
    steps = [e for e in events if isinstance(e, Step)]
    assert [(s.epoch, s.step) for s in steps] == [
        (e, s) for e in (1, 2) for s in (1, 2, 3, 4)
    ]
    assert [s.done for s in steps] == [k / 8 for k in range(1, 9)]
    assert all(len(s.rates) == 3 and 0 <= s.accuracy <= 1 for s in steps)
    told = [e for e in events if isinstance(e, Epoch)]
    assert [e.epoch for e in told] == [1, 2]
    sizes = [64, 64, 64, 8]  # an epoch's means weigh its images, not its steps
    assert told[0].loss == pytest.approx(
        np.average([s.loss for s in steps[:4]], weights=sizes)
    )
    rates = np.average([s.rates for s in steps[:4]], axis=0, weights=sizes)
    np.testing.assert_allclose(told[0].rates, rates)
    assert len(told[0].outputs) == 10
    assert list(told[0].gradient_norms) == sorted(told[0].gradient_norms)
    assert 0.1 <= told[0].commonest_answer <= 1
    assert len(told[0].gains_above_1) == 2


def test_an_epoch_visits_every_image_once_and_shifts_by_at_most_one_pixel(
    small,
) -> None:
    """Each image has one active pixel whose value is its number, so that it can be followed."""
    images = np.zeros((30, 5, 5), np.uint8)
    images[:, 2, 2] = np.arange(1, 31)
    data = Dataset(images, np.arange(30) % 3, images, np.arange(30) % 3)
    settings = replace(small, shift=1, batch=7, encoder="direct")
    seen, places = [], set()

    job = TrainingJob(settings, data, initial_state(settings, data))
    job.begin_epoch(0)
    for number in range(job.steps):
        for image, target in zip(*job._batch(number), strict=True):
            ((y, x),) = np.argwhere(image)
            assert target[(image[y, x] - 1) % 3] == 1
            seen.append(int(image[y, x]))
            places.add((int(y), int(x)))
    assert sorted(seen) == list(range(1, 31))
    assert seen != sorted(seen)
    assert places == {(y, x) for y in (1, 2, 3) for x in (1, 2, 3)}


def test_a_run_that_diverges_says_so(small, bytes_few) -> None:
    settings = replace(small, lr=1e39)
    with pytest.raises(ValueError, match="the run diverged in epoch 1"):
        list(train(settings, bytes_few))


@pytest.mark.parametrize(
    "change",
    [{"optimiser": "sgd"}, {"beta2": 0.9}, {"clip_norm": 0.1}, {"momentum": 0.5}],
)
def test_a_setting_of_the_optimiser_changes_the_run_and_survives_a_pause(
    change, small, few
) -> None:
    settings = replace(small, lr=0.01, **change)
    first, whole = epochs(settings, few)
    (resumed,) = epochs(settings, few, first.state)
    assert bits(resumed.state.params) == bits(whole.state.params)
    other = epochs(replace(small, lr=0.01), few)[-1]
    assert bits(other.state.params) != bits(whole.state.params)
    assert (first.state.step, whole.state.step) == (10, 20)


@pytest.mark.parametrize("gate", ["linear", "soft"])
@pytest.mark.parametrize("rule", ["exact", "classic", "detached-reset", "spatial-only"])
def test_gains_above_1_are_counted_neuron_by_neuron(rule, gate, small, few) -> None:
    """The same count with a loop over steps and neurons, from the formulas of the gain."""
    settings = replace(small, rule=rule, gate=gate, tau=0.9, a=0.01, encoder="direct")
    params = initial_state(settings, few).params
    rng = np.random.default_rng(0)
    found = gains_above_1(few.test_images, params, settings, rng)
    if rule == "spatial-only":
        assert found == (None, None)
        return
    neuron = settings.make_neuron()
    shown = few.test_images.reshape(1, len(few.test_images), -1).repeat(4, axis=0)
    trace = fast_forward(shown.astype(np.float32), params, neuron)
    for n, share in enumerate(found, 1):
        large = 0
        for u, o in zip(trace.U[n].ravel(), trace.O[n].ravel(), strict=True):
            h = float(neuron.h(np.array([u]))[0])
            slope = -u * 0.9 * h if gate == "linear" else -settings.v_th * h
            f = 0.9 * (1 - o) if gate == "linear" else 0.9
            gain = {"exact": f + slope, "classic": slope, "detached-reset": f}[rule]
            large += abs(gain) > 1
        assert share == pytest.approx(large / trace.U[n].size, abs=1e-4)
        assert (share > 0) == (rule != "detached-reset")


@dataclass(frozen=True)
class Quartic(Built):
    """A loss that the package does not have: 1/S Σ_s Σ_t ‖y_s - state_s^t‖⁴."""

    def formula(self, trace, targets) -> float:
        return float(
            ((getattr(trace, self.reads)[-1] - targets) ** 4).sum() / len(targets)
        )

    def terms(self, trace, targets) -> Direct:
        slope = 4 * (getattr(trace, self.reads)[-1] - targets) ** 3 / len(targets)
        return Direct(slope) if self.reads == "O" else Direct(None, slope)


@dataclass(frozen=True)
class QuarticPotential(Quartic):
    reads: ClassVar[str] = "U"


@pytest.fixture(autouse=True)
def own_losses(monkeypatch) -> None:
    """Two losses of one's own, by their names."""
    for made in (Quartic, QuarticPotential):
        monkeypatch.setitem(LOSSES, made.__name__, made)


STEPS = {
    **{rule: {"rule": rule} for rule in CASE_RULES + ABLATIONS},
    "soft reset": {"gate": "soft", "tau": 0.9},
    **{loss: {"loss": loss} for loss in (*LOSSES, "Quartic", "QuarticPotential")},
    "online": {"rule": "ottt", "loss": "membrane"},
}


@pytest.mark.parametrize("changes", STEPS.values(), ids=STEPS)
def test_a_step_takes_the_gradient_of_its_batch(changes, small, few) -> None:
    settings = replace(small, **{**changes, "encoder": "direct", "batch": 21})
    state = initial_state(settings, few)
    found, job = first_step(settings, few, state)
    order, loss = job._order[:21], settings.make_loss()
    rows, labels = few.train_images[order].reshape(21, -1), few.train_labels[order]
    neuron, targets = settings.make_neuron(), np.eye(10, dtype=np.float32)[labels]
    trace = fast_forward(np.stack([rows] * settings.T), state.params, neuron)
    ours = part_one.backward if settings.rule == "ottt" else fast_backward
    want = named_arrays(ours(trace, targets, state.params, neuron, settings.rule, loss))
    for name, array in want.items():
        assert np.abs(array).max() > 1e-5
        np.testing.assert_allclose(found[name], array, rtol=1e-3, atol=1e-6)
    batch = observe(trace, targets, loss, passes(state.params, settings).rates(trace))
    assert (batch.size, batch.loss) == (
        21,
        pytest.approx(loss.value(trace, targets), rel=1e-6),
    )
    assert batch.right == (loss.scores(trace).argmax(axis=1) == labels).sum()
    for n in (1, 2):
        assert batch.rates[n] == pytest.approx(trace.O[n].mean(), rel=1e-5)


def test_dropout_is_a_network_without_some_neurons_whose_weights_are_scaled_up() -> (
    None
):
    rng, neuron = np.random.default_rng(2), Settings().make_neuron()
    net = init_params([30, 7, 5, 3], rng, scale=3.0)
    spikes, targets = (rng.random((5, 4, 30)) < 0.6) * 1.0, rng.random((4, 3))
    factors = draw_dropout(net.sizes, 0.5, rng)
    kept = [np.arange(30), *(np.flatnonzero(f) for f in factors), np.arange(3)]
    assert [len(k) for k in kept] == [30, 4, 2, 3]
    assert [set(f) for f in factors] == [{0, 7 / 4}, {0, 5 / 2}]
    scale = [1, 7 / 4, 5 / 2]
    blocks = [np.ix_(kept[n], kept[n - 1]) for n in (1, 2, 3)]
    W = [net.W[n][blocks[n - 1]] * scale[n - 1] for n in (1, 2, 3)]
    small = type(net)(W=[None, *W], b=[None, *(net.b[n][kept[n]] for n in (1, 2, 3))])
    trace = fast_forward(spikes, small, neuron)
    want = fast_backward(trace, targets, small, neuron)
    cut = with_dropout(net, factors)
    trace = fast_forward(spikes, cut, neuron)
    found = drop(fast_backward(trace, targets, cut, neuron), factors)
    for n in (1, 2, 3):
        inside = np.zeros_like(net.W[n])
        inside[blocks[n - 1]] = want.W[n] * scale[n - 1]
        np.testing.assert_allclose(found[n]["W"], inside, rtol=1e-12, atol=1e-15)
        np.testing.assert_allclose(found[n]["b"][kept[n]], want.b[n], rtol=1e-12)
    assert draw_dropout(net.sizes, 0.0, rng) == []


def test_evaluation_counts_answers(small, few) -> None:
    state = epochs(small, few)[-1].state
    found = evaluate(
        state.kept, few.test_images, few.test_labels, small, np.random.default_rng(0),
        encodings=3,
    )  # fmt: skip
    assert len(found.accuracies) == 3
    assert found.confusion.sum() == 150
    np.testing.assert_array_equal(
        found.confusion.sum(axis=1), 3 * np.bincount(few.test_labels)
    )
    assert found.mean == pytest.approx(np.trace(found.confusion) / 150)
    assert found.spread == pytest.approx(np.std(found.accuracies, ddof=1))
    for array in named_arrays(state.kept).values():
        array.fill(0)
    state.kept.b[2][3] = 1.0  # it answers 3, whatever it sees
    same = evaluate(
        state.kept, few.test_images, few.test_labels, small, np.random.default_rng(0)
    )
    assert same.confusion[:, 3].sum() == 50
    assert (same.mean, same.spread) == ((few.test_labels == 3).mean(), 0)
    with pytest.raises(
        ValueError, match=r"16 inputs and 1 outputs for images .*, got 64 and 10"
    ):
        evaluate(
            state.kept,
            np.zeros((2, 2, 8)),
            np.zeros(2, int),
            small,
            np.random.default_rng(0),
        )


def test_images_held_out_may_be_given_more_steps(small, few) -> None:
    settings = replace(small, T_test=7)
    params = initial_state(small, few).params
    evaluations = [
        evaluate(params, few.test_images, few.test_labels, s, np.random.default_rng(0))
        for s in (settings, replace(small, T=7), small)
    ]
    assert small.T != 7
    np.testing.assert_array_equal(evaluations[0].confusion, evaluations[1].confusion)
    assert (evaluations[0].confusion != evaluations[2].confusion).any()
    longer, plain = (epochs(s, few)[0].state.params for s in (settings, small))
    assert bits(longer) == bits(plain)  # learning is as it was


NEURON = LIF(tau=0.5, v_th=0.6, surrogate=Gaussian(0.5))


@pytest.mark.parametrize("rule", CASE_RULES + ABLATIONS)
def test_c2_delta_reaches_the_input(rule) -> None:
    """Case 2's expression with n = 0, written with indices, on what the sweep gives for layer 1."""
    problem = make_problem(3, [5, 7, 3], T=4, S=6, neuron=NEURON)
    p, trace = problem.params, problem.trace
    settings = Settings(rule, (7,), tau=0.5, v_th=0.6, a=0.5, adversarial=0.1)
    run = passes(p, settings)
    got = run.input_gradient(run.forward(problem.spikes), problem.targets)
    swept = cases.sweep(trace, problem.targets, p, NEURON, rule)
    err = swept.epsilon[1]
    if rule == "classic":
        err = swept.delta[1] * NEURON.h(trace.U[1])
    np.testing.assert_allclose(got, np.einsum("tsi,ij->sj", err, p.W[1]), rtol=1e-12)


@pytest.mark.parametrize("fgsm", FGSM)
def test_the_images_learned_from_are_harder(small, bytes_few, fgsm) -> None:
    """The first step's loss, before anything is learned, on the same images."""
    settings = replace(small, batch=200, epochs=1, T=20, hidden=(60,), init_scale=3.0)

    def first_loss(adversarial: float) -> float:
        s = replace(settings, adversarial=adversarial, fgsm=fgsm)
        return next(e for e in train(s, bytes_few, initial_state(s, bytes_few))).loss

    assert first_loss(0.3) > 1.05 * first_loss(0.0)


def test_only_a_targeted_step_moves_an_image_that_is_answered_perfectly() -> None:
    """One pixel for each class, white, through weights that no grey level of another can outdo."""
    images = np.uint8(255) * np.eye(10, dtype=np.uint8).reshape(10, 2, 5)
    data = Dataset(images, np.arange(10), images, np.arange(10))
    plain = Settings(hidden=(), T=4, batch=10, epochs=1)

    def first_loss(**changes: Any) -> float:
        s = replace(plain, **changes)
        state = initial_state(s, data)
        state.params.W[1][...] = 2 * np.eye(10)
        return next(e for e in train(s, data, state)).loss

    assert first_loss() == 0
    assert first_loss(adversarial=0.3) == 0
    assert first_loss(adversarial=0.3, fgsm="targeted") > 0.1
