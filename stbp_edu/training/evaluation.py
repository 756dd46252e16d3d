"""How well a network answers: images that it learns from, step by step, and images held out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stbp_edu import checks
from stbp_edu.arrays import Trained, check_params
from stbp_edu.checks import Array
from stbp_edu.engine.threads import one_blas_thread
from stbp_edu.losses import RATE
from stbp_edu.losses.reading import Built
from stbp_edu.network import Trace
from stbp_edu.training.data.datasets import check_labelled
from stbp_edu.training.model import check_data, check_fit, encode_images, passes
from stbp_edu.training.settings import Settings

CHUNK = 100  # images at a time
MOST_ENCODINGS = 10_000  # a hundred give the spread within a tenth of it


@dataclass(frozen=True)
class BatchStatistics:
    """Means over images as the steps saw them: shifted, and moved by FGSM.

    Attributes:
        size: number of images.
        loss: the loss before the update.
        right: number of images answered correctly.
        rates: mean firing rate of each layer 0..N.
        outputs: mean firing rate of each output neuron.
    """

    size: int
    loss: float
    right: int
    rates: tuple[float, ...]
    outputs: Array

    @property
    def accuracy(self) -> float:
        """Share of images answered correctly."""
        return self.right / self.size


def observe(trace: Trace, targets: Array, loss: Built = RATE) -> BatchStatistics:
    """Return the statistics of a forward pass."""
    answers = loss.scores(trace).argmax(axis=1)
    return BatchStatistics(
        len(targets),
        loss.value(trace, targets),
        int((answers == targets.argmax(axis=1)).sum()),
        tuple(map(_rate, trace.O)),
        trace.O[-1].mean(axis=(0, 1)),
    )


def merge(batches: Sequence[BatchStatistics]) -> BatchStatistics:
    """Return the statistics of several batches, taken together."""
    sizes = [b.size for b in batches]
    loss, rates, outputs = (
        np.average([getattr(b, name) for b in batches], axis=0, weights=sizes)
        for name in ("loss", "rates", "outputs")
    )
    right = sum(b.right for b in batches)
    return BatchStatistics(sum(sizes), float(loss), right, tuple(rates.tolist()), outputs)


def _rate(o: Array) -> float:
    """Return the mean of all spikes, by a product: faster than adding them up."""
    rows = o.reshape(-1, o.shape[-1])
    return float((np.full(len(rows), 1 / len(rows), o.dtype) @ rows).mean())


def plus_minus(spread: float, encodings: int) -> str:
    """Return " ± " and the spread over encodings in percent; nothing where there is one."""
    return f" ± {spread:.2%}" if encodings > 1 else ""


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
        return float(np.std(self.accuracies, ddof=1)) if len(self.accuracies) > 1 else 0.0


def evaluate(
    params: Trained,
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
        images: shape (n, height, width), grey levels in [0, 1].
        labels: shape (n,), the right output neuron of each image.
        settings: of the run that trained it.
        rng: draws the spikes.
        encodings: how often each image is encoded.

    Raises:
        TypeError, ValueError: if an argument is of another kind, or they do not fit together.
    """
    check_params(params)
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
    images: NDArray[Any], params: Trained, settings: Settings, rng: np.random.Generator
) -> NDArray[np.intp]:
    """Return a network's answer to each image, encoded with this generator."""
    answers, loss, T = [], settings.make_loss(), settings.steps_to_answer
    run = passes(params, settings)
    for k in range(0, len(images), CHUNK):
        spikes = encode_images(images[k : k + CHUNK], settings, T, rng, params.dtype)
        answers.append(loss.scores(run.forward(spikes)).argmax(axis=1))
    return np.concatenate(answers)
