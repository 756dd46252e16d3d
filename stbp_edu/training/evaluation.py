"""How well a network answers, and advice where it does not learn."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stbp_edu._support import checks
from stbp_edu.parameters import Params
from stbp_edu.program.threads import one_blas_thread
from stbp_edu.training.data.datasets import check_labelled
from stbp_edu.training.model import Passes, check_data, check_fit, encode_images
from stbp_edu.training.settings import Settings

CHUNK = 100  # images at a time
MOST_ENCODINGS = 10_000  # a hundred give the spread within a tenth of it
SILENT = 0.002  # spikes per neuron and step
SATURATED = 0.95
CHANCE = 1.5  # times the accuracy of guessing

INPUT = """the input is silent: its neurons fire in {rate:.2%} of steps. Check that the images are \
not blank and lie in [0, 1]."""
SILENT_LAYER = """{name} is silent: its neurons fire in {rate:.2%} of steps, so that {loses}. \
Lower the threshold (v_th = {v_th:g} now), start with larger weights (init_scale), or widen the \
surrogate (a), so that potentials far below the threshold still get a gradient."""
SATURATED_LAYER = """{name} is saturated: its neurons fire in {rate:.1%} of steps, so their spikes \
no longer tell the images apart. Raise the threshold (v_th = {v_th:g} now) or start with smaller \
weights (init_scale)."""
SILENT_OUTPUT = """output neuron {i} is silent: it fires in {rate:.2%} of steps, so the network \
never answers {i} and the loss ({loss:.3f} now) cannot fall much below {floor:.2f}. Try another \
seed, smaller initial weights (init_scale), or a surrogate that reaches further (gaussian, or a \
larger a)."""
SATURATED_OUTPUT = """output neuron {i} is saturated: it fires in {rate:.1%} of steps whatever the \
image. Try a smaller learning rate (lr) or smaller initial weights (init_scale)."""
GUESSES = """the network guesses: it is right for {accuracy:.1%} of the images it learns from, and \
chance is {chance:.1%}. The gradient may grow from step to step: for a silent neuron {gain}, and \
above 1 in size it explodes. Try a wider surrogate (a), the gaussian, fewer steps (T), a smaller \
learning rate (lr), the sign of the gradient (gradient_sign), or rule = detached-reset to see \
whether the reset path is the cause."""
GAINS = {
    "exponential": "the exact gain is τ - u·h(u)",
    "linear": "the exact gain is τ (1 - u·h(u))",
    "soft": "the exact gain is τ - v_th·h(u)",
}


@dataclass(frozen=True)
class Step:
    """One step done.

    Attributes:
        epoch: counted from 1.
        step: of the epoch, from 1.
        done: the share of the run.
        size: number of images, as the step saw them: shifted.
        right: how many of them were answered correctly.
        loss: the loss before the update.
        rates: mean firing rate of each layer 0..N.
        outputs: mean firing rate of each output neuron.
        norm: norm of the gradient.
    """

    epoch: int
    step: int
    done: float
    size: int
    right: int
    loss: float
    rates: tuple[float, ...]
    outputs: tuple[float, ...]
    norm: float

    @property
    def accuracy(self) -> float:
        """Share of images answered correctly."""
        return self.right / self.size


def means(steps: Sequence[Step]) -> dict[str, Any]:
    """Return loss, accuracy, rates and outputs by name, as means over the images of the steps."""
    sizes = [step.size for step in steps]
    loss, rates, outputs = (
        np.average([getattr(step, name) for step in steps], axis=0, weights=sizes)
        for name in ("loss", "rates", "outputs")
    )
    return {
        "loss": float(loss),
        "accuracy": sum(step.right for step in steps) / sum(sizes),
        "rates": tuple(rates.tolist()),
        "outputs": tuple(outputs.tolist()),
    }


@dataclass(frozen=True)
class Evaluation:
    """The outcome of an evaluation.

    Attributes:
        accuracies: share of right answers, one for each encoding.
        confusion: counts [label, answer], summed over encodings.
    """

    accuracies: tuple[float, ...]
    confusion: NDArray[np.int64]

    @property
    def mean(self) -> float:
        """Mean accuracy over the encodings."""
        return float(np.mean(self.accuracies))

    @property
    def spread(self) -> float:
        """Standard deviation over the encodings (n - 1); 0 where there is one."""
        return (
            float(np.std(self.accuracies, ddof=1)) if len(self.accuracies) > 1 else 0.0
        )


def evaluate(
    params: Params,
    images: NDArray[Any],
    labels: NDArray[Any],
    settings: Settings,
    rng: np.random.Generator,
    *,
    encodings: int = 1,
) -> Evaluation:
    """Encode the images ``encodings`` times, and count right answers each time.

    The answer is the output neuron with the most spikes, in the steps that the loss reads (with
    ``membrane`` the highest potential); the first of them, in a tie.

    Args:
        params: of the trained network.
        images: shape (n, height, width), grey levels in [0, 1] or bytes.
        labels: shape (n,), the right output neuron of each image.
        settings: of the run that trained it.
        rng: draws the spikes.
        encodings: how often each image is encoded.

    Raises:
        TypeError, ValueError: if an argument is of another kind, or they do not fit together.
    """
    checks.instance("params", params, Params)
    checks.instance("settings", settings, Settings)
    checks.generator("rng", rng)
    checks.count("encodings", encodings, at_most=MOST_ENCODINGS)
    check_labelled(images, labels)
    check_data(params, settings, images.shape[1:], int(labels.max()) + 1)
    check_fit(params, settings)
    with one_blas_thread():
        drawn = (rng.spawn(1)[0] for _ in range(encodings))
        answers = np.stack([answers_to(images, params, settings, one) for one in drawn])
    confusion = np.zeros((params.sizes[-1], params.sizes[-1]), np.int64)
    np.add.at(confusion, (labels, answers), 1)
    return Evaluation(tuple((answers == labels).mean(axis=1).tolist()), confusion)


def answers_to(
    images: NDArray[Any], params: Params, settings: Settings, rng: np.random.Generator
) -> NDArray[np.intp]:
    """Return a network's answer to each image, encoded with this generator."""
    answers, loss, T = [], settings.make_loss(), settings.steps_to_answer
    passes = Passes(params, settings)
    for k in range(0, len(images), CHUNK):
        spikes = encode_images(images[k : k + CHUNK], settings, T, rng, params.dtype)
        answers.append(loss.scores(passes.forward(params, spikes)).argmax(axis=1))
    return np.concatenate(answers)


@dataclass(frozen=True)
class Advice:
    """One finding, and what to do about it.

    Attributes:
        where: ``"layer 1"``, ``"output 3"`` or ``"network"``.
        kind: ``"silent"``, ``"saturated"`` or ``"chance"``.
        message: what is seen, why it matters and what to change.
    """

    where: str
    kind: str
    message: str


def diagnose_layers(rates: Sequence[float], v_th: float) -> list[Advice]:
    """Find layers that are silent or saturated.

    Args:
        rates: mean firing rate of each layer 0..N, in spikes per neuron and step.
        v_th: the threshold, which the message names.

    >>> [a.kind for a in diagnose_layers([0.2, 0.0, 0.1], 1.5)]
    ['silent']
    """
    checks.number("v_th", v_th)
    if not isinstance(rates, list | tuple):
        raise TypeError(
            f"rates must be a list, got {checks.brief(rates)}; give one a layer"
        )
    advice, last = [], len(rates) - 1
    for n, rate in enumerate(rates):
        kind, name = _kind(checks.number(f"rates[{n}]", rate)), f"layer {n}"
        loses = "the layers above get their biases and hardly anything else"
        if n == last:
            name, loses = f"{name} (output)", "every image gets the same answer"
        told = {
            "silent": SILENT_LAYER if n else INPUT,
            "saturated": SATURATED_LAYER if n else "",
        }
        if text := told.get(kind):
            text = text.format(name=name, rate=rate, v_th=v_th, loses=loses)
            advice.append(Advice(f"layer {n}", kind, text))
    return advice


def _kind(rate: float) -> str:
    """Return the advice on a firing rate; empty where it is fine."""
    return "silent" if rate < SILENT else "saturated" if rate > SATURATED else ""


def diagnose(steps: Sequence[Step], settings: Settings, settled: bool) -> list[Advice]:
    """Return advice on the layers; where there is none, and if settled, on outputs and accuracy."""
    seen = means(steps)
    layers, chance = (
        diagnose_layers(seen["rates"], settings.v_th),
        1 / len(seen["outputs"]),
    )
    later = []
    spikes = settings.make_neurons()[1].lines.spike is not None
    if spikes and settings.make_loss().reads == "O":
        told = {"silent": SILENT_OUTPUT, "saturated": SATURATED_OUTPUT}
        now = {"loss": seen["loss"], "floor": 0.5 * chance}
        for i, rate in enumerate(seen["outputs"]):
            if kind := _kind(rate):
                words = told[kind].format(i=i, rate=rate, **now)
                later.append(Advice(f"output {i}", kind, words))
    else:  # the loss reads no spikes
        last = f"layer {len(seen['rates']) - 1}"
        layers = [advice for advice in layers if advice.where != last]
    if seen["accuracy"] < CHANCE * chance:  # it guesses, although its layers fire
        gain = (
            "the gain of its lines counts" if settings.neuron else GAINS[settings.gate]
        )
        words = GUESSES.format(accuracy=seen["accuracy"], chance=chance, gain=gain)
        later.append(Advice("network", "chance", words))
    return layers or later * settled
