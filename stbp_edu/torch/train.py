"""Train in PyTorch, on a GPU where there is one, in one process or in several.

``python -m stbp_edu.torch.train mnist`` is one process; started by ``torchrun``, several share each
batch, and the gradient is that of one::

    torchrun --nproc-per-node 2 -m stbp_edu.torch.train mnist

Order and spikes are drawn for the whole batch in every process, by NumPy and from the seed, and
each keeps its share. So what is drawn depends neither on the device nor on how many there are. The
folder holds what ``stbp-edu train`` writes, while it trains and afterwards: either command goes on
with a run of the other if its settings are the same, and neither replaces one unasked.
"""

import argparse
import math
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from stbp_edu.arrays import by_layer
from stbp_edu.cli.messages import tell
from stbp_edu.cli.train import add_arguments, saying_how_to_go_on
from stbp_edu.cli.train import chosen_settings as chosen
from stbp_edu.losses import LastSteps, Membrane, Rate
from stbp_edu.network import Trace
from stbp_edu.torch.distributed import Group, PeerEndedError, group
from stbp_edu.torch.layers import LIFNetwork
from stbp_edu.torch.parameters import to_params, to_state
from stbp_edu.training.data import Dataset, load_dataset
from stbp_edu.training.encoders import TIMED, encode
from stbp_edu.training.optim import OptimizerState
from stbp_edu.training.runs import CHECKPOINT, RunConfig, earlier_work, finish, folder_lock
from stbp_edu.training.runs.checkpoint import Checkpoint, save_checkpoint
from stbp_edu.training.settings import Settings
from stbp_edu.training.trainer import EPOCH, TEST, State, initial_state

CHUNK = 500  # held-out images at a time
SLOTS = ("exp_avg", "exp_avg_sq")
"""What Adam remembers of each parameter."""
OFF: dict[str, Any] = {
    "weight_decay": 0.0,
    "averaging": 0.0,
    "shift": 0,
    "dropout": 0.0,
    "adversarial": 0.0,
}
"""The settings that this loop leaves to ``stbp-edu train``."""


@dataclass
class Run:
    """A run of these settings on this data, as one process of a group takes part in it.

    Attributes:
        network: what learns.
        optimizer: Adam.
        epoch: epochs done.
        curves: a point for each of them.
        rates: by step of this epoch, the mean output of each layer, of this process's share.
    """

    settings: Settings
    data: Dataset
    group: Group
    network: LIFNetwork
    optimizer: torch.optim.Optimizer
    epoch: int = 0
    curves: list[dict[str, Any]] = field(default_factory=list)
    rates: list[list[float]] = field(default_factory=list)

    @property
    def named(self) -> dict[str, Tensor]:
        """The parameters by name."""
        return dict(self.network.named_parameters())


def start(settings: Settings, data: Dataset, processes: Group, dtype: Any = np.float32) -> Run:
    """Return a run before its first step, its parameters drawn from the seed."""
    drawn = by_layer(initial_state(settings, data).params)[1:]
    layers = [None, *({k: np.asarray(a, dtype) for k, a in p.items()} for p in drawn)]
    hidden, last = settings.make_neurons()
    neurons = [*[hidden] * (len(drawn) - 1), last]
    network = LIFNetwork.from_params(layers, neurons, settings.make_rule())
    processes.place(network)
    optimizer = torch.optim.Adam(network.parameters(), settings.lr)
    return Run(settings, data, processes, network, optimizer)


def train_epoch(run: Run) -> Iterator[float]:
    """Take the steps of one epoch, and yield the loss of the batch after each."""
    s, labels, run.rates = run.settings, run.data.train_labels, []
    order = np.random.default_rng([s.seed, EPOCH, run.epoch]).permutation(len(labels))
    steps = -(-len(labels) // s.batch)
    for step in range(steps):
        for parameters in run.optimizer.param_groups:
            parameters["lr"] = s.learning_rate((run.epoch * steps + step) / (s.epochs * steps))
        chosen = order[step * s.batch :][: s.batch]
        rng = np.random.default_rng([s.seed, EPOCH, run.epoch, step])
        spikes, targets = share(run, run.data.train_images[chosen], labels[chosen], s.T, rng)
        trace = run.network.trace(spikes)
        run.rates.append([float(o.detach().mean()) if o.numel() else 0.0 for o in trace.O])
        errors = (targets - read_out(run, trace)) ** 2 / 2
        loss = errors.sum() / len(chosen)  # over the whole batch, of which this share is a part
        run.optimizer.zero_grad()
        loss.backward()
        run.group.add_gradients(run.network)
        run.optimizer.step()
        if not math.isfinite(value := float(run.group.total(loss.detach()))):
            raise ValueError(
                f"the loss must be finite, got {value} in epoch {run.epoch + 1}; lower lr, or set "
                "a gain limit"
            )
        yield value
    run.epoch += 1


def share(
    run: Run, images: NDArray[Any], labels: NDArray[Any], T: int, rng: np.random.Generator
) -> tuple[Tensor, Tensor]:
    """Return spikes and targets of this process's share of some images."""
    weights, mine = next(run.network.parameters()), run.group.share(len(labels))
    encoder, hold = run.settings.encoder, run.settings.hold
    seen = images if encoder in TIMED else images.reshape(len(labels), -1)
    spikes = encode(encoder, seen, T, rng, hold=hold)[:, mine]
    targets = np.eye(run.data.classes)[labels[mine]]
    kind = {"dtype": weights.dtype, "device": weights.device}
    return torch.from_numpy(spikes).to(**kind), torch.from_numpy(targets).to(**kind)


def read_out(run: Run, trace: Trace) -> Tensor:
    """Return the mean over the steps that the loss reads, of the output or of the potentials."""
    loss: Any = run.settings.make_loss()
    series = trace.U[-1] if isinstance(loss, Membrane) else trace.O[-1]
    mean: Tensor = series[-(getattr(loss, "k", None) or len(series)) :].mean(0)
    return mean


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
        answers = read_out(run, run.network.trace(spikes)).argmax(1)
        right += (answers == targets.argmax(1)).sum()
    return float(run.group.total(right)) / len(labels)


def arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line: that of ``stbp-edu train``, a device and a type of floats."""
    parser = argparse.ArgumentParser(prog="python -m stbp_edu.torch.train", description=__doc__)
    add_arguments(parser)
    parser.add_argument("--device", help="cpu or cuda (cuda where there is one)")
    parser.add_argument("--dtype", choices=("float32", "float64"), default="float32")
    return parser.parse_args(argv)


def chosen_settings(args: argparse.Namespace) -> Settings:
    """Return the recipe of the data set, with what was given instead, and the rest turned off.

    Raises:
        ValueError: if a setting is unusable, or this loop does not follow it.
    """
    for name, off in OFF.items():
        if getattr(args, name) not in (None, off):
            raise ValueError(
                f"{name} must be {off!r} in this command, got {getattr(args, name)!r}; stbp-edu "
                "train follows it"
            )
        setattr(args, name, off)
    settings = replace(chosen(args), **({"rule": args.rule} if args.rule else {}))
    if not isinstance(settings.make_loss(), Rate | LastSteps | Membrane):
        raise ValueError(
            f"loss must be rate, last-steps or membrane in this command, got {settings.loss!r}; "
            "stbp-edu train has the others"
        )
    if settings.has_images:
        raise ValueError(
            f"{args.dataset} must have fully connected layers in this command, got "
            f"{settings.hidden}; stbp-edu train has convolutions"
        )
    return settings


def main(argv: Sequence[str] | None = None) -> int:
    """Train, and return the exit status: 0 where all went well, 3 where another process ended."""
    args = arguments(argv)
    try:
        settings = chosen_settings(args)
        data = load_dataset(args.dataset, args.data, tell, args.held_out)
        folder = args.out or Path("runs") / f"torch-{args.dataset}"
        config = RunConfig(args.dataset, settings, data, folder, args.held_out, args.encodings)
        with group(args.device) as processes, alone(folder, processes), saying_how_to_go_on(folder):
            run = start(settings, data, processes, np.dtype(args.dtype))
            open_folder(run, config, args)
            train(run, config)
    except PeerEndedError as error:
        print(f"stbp_edu.torch.train: {error}", file=sys.stderr, flush=True)
        return 3
    except (ValueError, TypeError, OSError, ImportError) as error:
        print(f"stbp_edu.torch.train: {error}", file=sys.stderr, flush=True)
        return 2
    return 0


def alone(folder: Path, processes: Group) -> AbstractContextManager[None]:
    """Return what keeps other runs out of a folder; the first process holds it for all."""
    return folder_lock(folder) if processes.rank == 0 else nullcontext()


def train(run: Run, config: RunConfig) -> None:
    """Train to the end; the first process saves checkpoints and results, and tells of them."""
    s, first = run.settings, run.group.rank == 0
    while run.epoch < s.epochs:
        begun = time.perf_counter()
        losses = list(train_epoch(run))
        point = {"epoch": run.epoch, "loss": float(np.mean(losses)), "held_out": accuracy(run)}
        rates = np.mean(run.rates, axis=0).tolist()
        run.curves.append({**point, "rates": rates, "seconds": time.perf_counter() - begun})
        if first:
            save(run, config.folder / CHECKPOINT)
            tell(
                f"epoch {run.epoch} of {s.epochs}: loss {point['loss']:.4f}, "
                f"held out {point['held_out']:.2%}"
            )
    if first:
        record = finish(config, to_params(run.network.state_dict()), run.curves)
        mean, folder = record["accuracy"]["mean"], config.folder
        tell(f"{config.dataset}: {mean:.2%} on the images held out; {folder}/")


def save(run: Run, path: Path) -> None:
    """Write the state of a run; ``path`` holds the old one until the new one is whole."""
    memory = [run.optimizer.state[p] for p in run.named.values()]
    slots = (dict(zip(run.named, [m[k] for m in memory], strict=True)) for k in SLOTS)
    adam = OptimizerState(int(memory[0]["step"]), tuple(by_layer(to_params(m)) for m in slots))
    state = State(to_params(run.network.state_dict()), None, adam, run.epoch)
    save_checkpoint(path, Checkpoint(run.settings, run.data.fingerprint(), state, run.curves))


def open_folder(run: Run, config: RunConfig, args: argparse.Namespace) -> None:
    """Go on from the checkpoint in the folder where that is asked for.

    Raises:
        ValueError: if there is work in the folder and neither --resume nor --restart was given, or
            the checkpoint is damaged or belongs to another run.
    """
    checkpoint, record = earlier_work(config, resume=args.resume, restart=args.restart)
    if record:
        raise ValueError(f"{config.folder} holds a finished run; --restart to train it again")
    if checkpoint:
        load(run, checkpoint, config.folder / CHECKPOINT)


def load(run: Run, checkpoint: Checkpoint, path: Path) -> None:
    """Go on from a checkpoint: network, optimizer, epochs done and curves."""
    state, dtype = checkpoint.state, next(run.network.parameters()).dtype
    ours = f"float{torch.finfo(dtype).bits}"
    if state.params.dtype != ours:
        raise ValueError(
            f"{path} belongs to a run with another dtype, {state.params.dtype}; give --dtype "
            f"{state.params.dtype} to resume it, --restart to begin anew"
        )
    run.network.load_state_dict(to_state(state.params, run.network.state_dict()))
    slots = [to_state(slot, run.named) for slot in state.optimizer.slots]
    for name, p in run.named.items():
        memory = {k: slot[name].detach() for k, slot in zip(SLOTS, slots, strict=True)}
        run.optimizer.state[p] = {"step": torch.tensor(float(state.optimizer.step)), **memory}
    run.epoch, run.curves = state.epoch, [*checkpoint.curves]


if __name__ == "__main__":
    sys.exit(main())
