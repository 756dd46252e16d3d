"""The accuracy of a network, over several encodings of the same images."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stbp_edu import checks
from stbp_edu.engine import Workspace, forward
from stbp_edu.network import Params
from stbp_edu.training.data.encoders import encode
from stbp_edu.training.settings import Settings
from stbp_edu.training.sparsity import active_pixels, subnetwork
from stbp_edu.training.workers import worker_pool

CHUNK = 100  # images at a time


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
    params: Params,
    images: NDArray[Any],
    labels: NDArray[Any],
    settings: Settings,
    rng: np.random.Generator,
    *,
    encodings: int = 1,
) -> Evaluation:
    """Encode the images ``encodings`` times, and count right answers each time.

    The answer is the output neuron with the most spikes; the first of them, in a tie.
    """
    checks.count("encodings", encodings)
    with worker_pool(Evaluator(params, images, settings), settings.shards) as pool:
        parts = [pool.map(Evaluator.answers, rng.spawn(pool.size)) for _ in range(encodings)]
    answers = np.stack([np.concatenate(p) for p in parts])
    confusion = np.zeros((params.sizes[-1], params.sizes[-1]), np.int64)
    np.add.at(confusion, (labels, answers), 1)
    return Evaluation(tuple((answers == labels).mean(axis=1).tolist()), confusion)


@dataclass(frozen=True)
class Evaluator:
    """A network that answers images in parts, as the job of a worker pool.

    Attributes:
        params: the network.
        images: shape (images, rows, columns).
        settings: how the images are encoded, and the neuron.
    """

    params: Params
    images: NDArray[Any]
    settings: Settings

    def answers(self, part: int, streams: Sequence[np.random.Generator]) -> NDArray[np.intp]:
        """Return the answer to each image of one part, encoded with the stream of that part."""
        rows = np.array_split(self.images.reshape(len(self.images), -1), len(streams))[part]
        s, work, answers = self.settings, Workspace(), [np.empty(0, np.intp)]
        for k in range(0, len(rows), CHUNK):
            columns = active_pixels(some := rows[k : k + CHUNK])
            small = subnetwork(self.params, [columns, *[None] * self.params.N])
            spikes = encode(s.encoder, some[:, columns], s.steps_to_answer, streams[part])
            trace = forward(spikes.astype(small.dtype), small, s.make_neuron(), workspace=work)
            answers.append(trace.O[-1].mean(axis=0).argmax(axis=1))
        return np.concatenate(answers)
