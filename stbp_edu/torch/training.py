"""The training loop in PyTorch: one process, or several that share each batch.

Order and spikes are drawn for the whole batch in every process, by NumPy and from the seed, and
each keeps its share. So what is drawn depends neither on the device nor on how many there are.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from stbp_edu import checks
from stbp_edu.network import Params
from stbp_edu.torch.distributed import Group
from stbp_edu.torch.layers import Network
from stbp_edu.training.data import Dataset
from stbp_edu.training.encoders import TIMED, encode
from stbp_edu.training.settings import Settings
from stbp_edu.training.training_job import EPOCH, TEST, initial_state

CHUNK = 500  # held-out images at a time


@dataclass
class Run:
    """A run of these settings on this data, as one process of a group takes part in it.

    Attributes:
        network: what learns.
        optimizer: Adam.
        epoch: epochs done.
        curves: a point for each of them.
    """

    settings: Settings
    data: Dataset
    group: Group
    network: Network
    optimizer: torch.optim.Optimizer
    epoch: int = 0
    curves: list[dict[str, Any]] = field(default_factory=list)


def start(settings: Settings, data: Dataset, group: Group, dtype: Any = np.float32) -> Run:
    """Return a run before its first step, its parameters drawn from the seed."""
    drawn = checks.instance("params", initial_state(settings, data).params, Params)
    W, b = ([None, *(np.ascontiguousarray(a, dtype) for a in of[1:])] for of in (drawn.W, drawn.b))
    network = Network.from_params(Params(W=W, b=b), settings.make_neuron(), settings.rule)
    group.place(network)
    optimizer = torch.optim.Adam(network.parameters(), settings.lr)
    return Run(settings, data, group, network, optimizer)


def train_epoch(run: Run) -> Iterator[float]:
    """Take the steps of one epoch, and yield the loss of the batch after each."""
    s, labels = run.settings, run.data.train_labels
    order = np.random.default_rng([s.seed, EPOCH, run.epoch]).permutation(len(labels))
    steps = -(-len(labels) // s.batch)
    for step in range(steps):
        for group in run.optimizer.param_groups:
            group["lr"] = s.learning_rate((run.epoch * steps + step) / (s.epochs * steps))
        chosen = order[step * s.batch :][: s.batch]
        rng = np.random.default_rng([s.seed, EPOCH, run.epoch, step])
        spikes, targets = share(run, run.data.train_images[chosen], labels[chosen], s.T, rng)
        errors = (targets - read_out(run, spikes)) ** 2 / 2
        loss = errors.sum() / len(chosen)  # over the whole batch, of which this share is a part
        run.optimizer.zero_grad()
        loss.backward()
        run.group.add_gradients(run.network)
        run.optimizer.step()
        yield float(run.group.total(loss.detach()))
    run.epoch += 1


def share(
    run: Run, images: NDArray[Any], labels: NDArray[Any], T: int, rng: np.random.Generator
) -> tuple[Tensor, Tensor]:
    """Return spikes and targets of this process's share of some images."""
    weights, mine = next(run.network.parameters()), run.group.share(len(labels))
    encoder, hold = run.settings.encoder, run.settings.hold
    seen = images if encoder in TIMED else images.reshape(len(labels), -1)
    spikes = encode(encoder, seen, T, rng, hold=hold)[:, mine]
    targets = np.eye(run.network[-1].weights.out_features)[labels[mine]]
    kind = {"dtype": weights.dtype, "device": weights.device}
    return torch.from_numpy(spikes).to(**kind), torch.from_numpy(targets).to(**kind)


def read_out(run: Run, spikes: Tensor) -> Tensor:
    """Return the mean output over the steps that the loss reads: the last ``read``, or all."""
    output: Tensor = run.network(spikes)
    return output[-(run.settings.read or len(output)) :].mean(0)


@torch.no_grad()
def accuracy(run: Run) -> float:
    """Return the share of held-out images that the network answers rightly."""
    images, labels = run.data.test_images, run.data.test_labels
    rng = np.random.default_rng([run.settings.seed, TEST, run.epoch])
    right = torch.zeros((), dtype=torch.float64, device=run.group.device)
    for first in range(0, len(labels), CHUNK):
        some = slice(first, first + CHUNK)
        T = run.settings.steps_to_answer
        spikes, targets = share(run, images[some], labels[some], T, rng)
        right += (read_out(run, spikes).argmax(1) == targets.argmax(1)).sum()
    return float(run.group.total(right)) / len(labels)
