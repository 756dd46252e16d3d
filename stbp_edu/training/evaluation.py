"""How well a network answers, and advice where it does not learn."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stbp_edu._support import checks
from stbp_edu.parameters import Params
from stbp_edu.program.machine import one_blas_thread
from stbp_edu.training.data.datasets import check_labelled
from stbp_edu.training.model import check_fit, encode_images, network_for
from stbp_edu.training.settings import Settings

CHUNK = 100  # images at a time
MOST_ENCODINGS = 10_000
SILENT = 0.002  # spikes per neuron and step
SATURATED = 0.95

BLANK = """the input is silent: its neurons fire in {rate:.2%} of steps. Check that the images \
are not blank and lie in [0, 1]."""
SILENT_LAYER = """{name} is silent: its neurons fire in {rate:.2%} of steps, so that {loses}. \
Lower the threshold (v_th = {v_th:g} now), start with larger weights (init_scale), or widen the \
surrogate (a), so that potentials far below the threshold still get a gradient."""
SATURATED_LAYER = """{name} is saturated: its neurons fire in {rate:.1%} of steps, so their spikes \
no longer tell the images apart. Raise the threshold (v_th = {v_th:g} now) or start with smaller \
weights (init_scale)."""


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
    """

    epoch: int
    step: int
    done: float
    size: int
    right: int
    loss: float
    rates: tuple[float, ...]

    @property
    def accuracy(self) -> float:
        """Share of images answered correctly."""
        return self.right / self.size


def mean(steps: Sequence[Step]) -> Step:
    """Return the last of some steps with the means over the images of all."""
    sizes = [step.size for step in steps]
    loss, rates = (
        np.average([getattr(step, name) for step in steps], axis=0, weights=sizes)
        for name in ("loss", "rates")
    )
    return replace(
        steps[-1], size=sum(sizes), right=sum(step.right for step in steps), loss=float(loss),
        rates=tuple(rates.tolist()),
    )  # fmt: skip


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
    check_fit(params, settings, images.shape[1:], int(labels.max()) + 1)
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
    net = network_for(params, settings)
    for k in range(0, len(images), CHUNK):
        spikes = encode_images(images[k : k + CHUNK], settings, T, rng, params.dtype)
        answers.append(loss.scores(net.forward(spikes, params)).argmax(axis=1))
    return np.concatenate(answers)


@dataclass(frozen=True)
class Advice:
    """One finding, and what to do about it.

    Attributes:
        where: ``"layer 1"`` or ``"folder"``.
        kind: ``"silent"``, ``"saturated"``, ``"finished"`` or ``"new"``.
        message: what is seen, why it matters and what to change.
    """

    where: str
    kind: str
    message: str


def diagnose_layers(rates: Sequence[float], v_th: float) -> list[Advice]:
    """Find layers that are silent or saturated.

    Args:
        rates: mean firing rates in spikes per neuron and step: the input's, then each layer's.
        v_th: the threshold, which the message names.

    >>> [a.kind for a in diagnose_layers([0.2, 0.0, 0.1], 1.5)]
    ['silent']
    """
    if not isinstance(rates, list | tuple):
        raise TypeError(
            f"rates must be a list, got {checks.brief(rates)}; give one a layer"
        )
    checks.number("v_th", v_th)
    advice = []
    for n, rate in enumerate(rates):
        checks.number(f"rates of layer {n}", rate)
        name, loses = (
            f"layer {n}",
            "the layers above get their biases and hardly anything else",
        )
        if n == len(rates) - 1:
            name, loses = f"layer {n} (output)", "every image gets the same answer"
        if rate < SILENT:
            kind, text = "silent", SILENT_LAYER if n else BLANK
        elif rate > SATURATED and n:
            kind, text = "saturated", SATURATED_LAYER
        else:
            continue
        message = text.format(name=name, rate=rate, loses=loses, v_th=v_th)
        advice.append(Advice(f"layer {n}", kind, message))
    return advice


def diagnose(steps: Sequence[Step], settings: Settings) -> list[Advice]:
    """Return advice on the layers, but not on an output whose spikes the loss does not read."""
    rates = mean(steps).rates
    found = diagnose_layers(rates, settings.v_th)
    last = settings.make_neurons()[1]
    if last.lines.spike and settings.make_loss().reads == "O":
        return found
    return [advice for advice in found if advice.where != f"layer {len(rates) - 1}"]
