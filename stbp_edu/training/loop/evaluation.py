"""How often a network is right, over several encodings of the same images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stbp_edu import checks
from stbp_edu.engine.products import forward
from stbp_edu.engine.workspace import Workspace
from stbp_edu.network import Params
from stbp_edu.training.data.encoders import encode
from stbp_edu.training.settings import Settings
from stbp_edu.training.sparsity.narrow import lit, narrow
from stbp_edu.training.workers.parallel import Team, team

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
    with team(Judge(params, images, settings), settings.shards) as crew:
        tables = [confusion(crew, labels, params.sizes[-1], rng) for _ in range(encodings)]
    right = tuple(float(np.trace(table)) / len(labels) for table in tables)
    return Evaluation(right, np.sum(tables, axis=0))


def confusion(
    crew: Team[Any], labels: NDArray[Any], classes: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Return counts [label, answer] for one encoding of the images, of a crew with a judge."""
    parts = crew.map("answers", rng.spawn(crew.size))
    table = np.zeros((classes, classes), np.int64)
    np.add.at(table, (labels, np.concatenate(parts)), 1)
    return table


class Judge:
    """Lets a network answer. It is the job of a team: each has a share of the images."""

    def __init__(self, params: Params, images: NDArray[Any], settings: Settings) -> None:
        self.params, self.settings = params, settings
        self.rows = images.reshape(len(images), -1)
        self._work = [Workspace() for _ in range(settings.shards)]

    def answers(self, i: int, streams: list[np.random.Generator]) -> NDArray[np.intp]:
        """Return the answer for each image of the i-th part."""
        rows = np.array_split(self.rows, len(streams))[i]
        given = (self.settings, streams[i], self._work[i])
        starts = range(0, len(rows), CHUNK)
        found = [answers(self.params, rows[k : k + CHUNK], *given) for k in starts]
        return np.concatenate([np.empty(0, np.intp), *found])


def answers(
    params: Params,
    rows: NDArray[Any],
    settings: Settings,
    rng: np.random.Generator,
    workspace: Workspace | None = None,
) -> NDArray[np.intp]:
    """Return the answer for each image (row): the output neuron with the most spikes."""
    columns = lit(rows)
    small = narrow(params, [columns, *[None] * params.N])
    spikes = encode(settings.encoder, rows[:, columns], settings.steps_to_answer, rng).astype(
        params.dtype
    )
    trace = forward(spikes, small, settings.make_neuron(), workspace=workspace)
    return np.asarray(trace.O[-1].mean(axis=0).argmax(axis=1))
