"""Train in PyTorch, on a GPU where there is one, in one process or in several.

``python -m stbp_edu.torch.train mnist`` is one process; started by ``torchrun``, several share each
batch, and the gradient is that of one::

    torchrun --nproc-per-node 2 -m stbp_edu.torch.train mnist

Order and spikes are drawn for the whole batch in every process, by NumPy and from the seed, and
each keeps its share. So what is drawn depends neither on the device nor on how many there are. The
folder then holds what ``stbp-edu train`` writes, so that ``stbp-edu eval`` reads it.
"""

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, fields, replace
from io import BytesIO
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from stbp_edu import checks, files
from stbp_edu.cli.messages import tell
from stbp_edu.network import Params
from stbp_edu.torch.distributed import Group, PeerEndedError, group
from stbp_edu.torch.layers import LIFNetwork
from stbp_edu.torch.parameters import to_params
from stbp_edu.training.data import RECIPES, Dataset, load_dataset
from stbp_edu.training.encoders import TIMED, encode
from stbp_edu.training.runs import RECORD, RunConfig, finish, folder_lock
from stbp_edu.training.settings import Settings, to_dict
from stbp_edu.training.training_job import EPOCH, TEST, initial_state

CHUNK = 500  # held-out images at a time
CHECKPOINT = "checkpoint.pt"
WORDS = (
    "rule", "T", "T_test", "tau", "v_th", "gate", "surrogate", "a", "encoder", "init", "init_scale",
    "loss", "read", "lr", "schedule", "batch", "epochs", "seed",
)  # fmt: skip
"""The settings that this loop follows, besides ``hidden``."""
OFF: dict[str, Any] = {
    "optimizer": "adam",
    "weight_decay": 0.0,
    "averaging": 0.0,
    "shift": 0,
    "dropout": 0.0,
    "adversarial": 0.0,
    "shards": 1,
}
"""Those that it leaves to ``stbp-edu train``."""


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
    network: LIFNetwork
    optimizer: torch.optim.Optimizer
    epoch: int = 0
    curves: list[dict[str, Any]] = field(default_factory=list)


def start(settings: Settings, data: Dataset, processes: Group, dtype: Any = np.float32) -> Run:
    """Return a run before its first step, its parameters drawn from the seed."""
    drawn = checks.instance("params", initial_state(settings, data).params, Params)
    W, b = ([None, *(np.ascontiguousarray(a, dtype) for a in of[1:])] for of in (drawn.W, drawn.b))
    network = LIFNetwork.from_params(Params(W=W, b=b), settings.make_neuron(), settings.rule)
    processes.place(network)
    optimizer = torch.optim.Adam(network.parameters(), settings.lr)
    return Run(settings, data, processes, network, optimizer)


def train_epoch(run: Run) -> Iterator[float]:
    """Take the steps of one epoch, and yield the loss of the batch after each."""
    s, labels = run.settings, run.data.train_labels
    order = np.random.default_rng([s.seed, EPOCH, run.epoch]).permutation(len(labels))
    steps = -(-len(labels) // s.batch)
    for step in range(steps):
        for parameters in run.optimizer.param_groups:
            parameters["lr"] = s.learning_rate((run.epoch * steps + step) / (s.epochs * steps))
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


def arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m stbp_edu.torch.train", description=__doc__)
    parser.add_argument("dataset", choices=sorted(RECIPES))
    parser.add_argument("--out", type=Path, help="folder for the results (runs/torch-DATASET)")
    parser.add_argument("--data", type=Path, help="folder with the files of the data set")
    parser.add_argument("--device", help="cpu or cuda (cuda where there is one)")
    parser.add_argument("--dtype", choices=("float32", "float64"), default="float32")
    again = parser.add_mutually_exclusive_group()
    again.add_argument("--resume", action="store_true", help="go on from the last checkpoint")
    again.add_argument("--restart", action="store_true", help="begin anew, whatever is there")
    parser.add_argument("--hidden", type=int, nargs="*", help="widths of the hidden layers")
    for f in fields(Settings):
        if f.name in WORDS:
            flag, kind = f"--{f.name.replace('_', '-')}", type(f.default)
            parser.add_argument(flag, type=kind, metavar="X", help=f.metadata["help"])
    return parser.parse_args(argv)


def chosen_settings(args: argparse.Namespace) -> Settings:
    """Return the recipe of the data set, with what was given instead, and the rest turned off.

    Raises:
        ValueError: if a setting is unusable, or this loop does not follow it.
    """
    given: dict[str, Any] = {k: v for k in WORDS if (v := getattr(args, k)) is not None}
    if args.hidden is not None:
        given["hidden"] = tuple(args.hidden)
    settings = replace(RECIPES[args.dataset], **OFF, **given)
    if settings.loss not in ("rate", "last-steps"):
        raise ValueError(
            f"loss must be rate or last-steps in this command, got {settings.loss!r}; "
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
        data = load_dataset(args.dataset, args.data, tell, "test")
        folder = args.out or Path("runs") / f"torch-{args.dataset}"
        with group(args.device) as processes, alone(folder, processes):
            run = start(settings, data, processes, np.dtype(args.dtype))
            open_folder(run, folder, args)
            train(run, folder)
            if processes.rank == 0:
                finish_run(run, args.dataset, folder)
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


def train(run: Run, folder: Path) -> None:
    """Train to the end; the first process saves a checkpoint after each epoch, and tells of it."""
    s = run.settings
    while run.epoch < s.epochs:
        begun = time.perf_counter()
        losses = list(train_epoch(run))
        point = {"epoch": run.epoch, "loss": float(np.mean(losses)), "held_out": accuracy(run)}
        run.curves.append({**point, "rates": [], "seconds": time.perf_counter() - begun})
        if run.group.rank == 0:
            save(run, folder / CHECKPOINT)
            tell(
                f"epoch {run.epoch} of {s.epochs}: loss {point['loss']:.4f}, "
                f"held out {point['held_out']:.2%}"
            )


def finish_run(run: Run, dataset: str, folder: Path) -> None:
    """Write parameters and record as ``stbp-edu train`` does; remove the checkpoint."""
    config = RunConfig(dataset, run.settings, run.data, folder)
    params = checks.instance("params", to_params(run.network.state_dict()), Params)
    record = finish(config, params, run.curves)
    (folder / CHECKPOINT).unlink(missing_ok=True)
    tell(f"{dataset}: {record['accuracy']['mean']:.2%} on the images held out; {folder}/")


def save(run: Run, path: Path) -> None:
    """Write the state of a run; ``path`` holds the old one until the new one is whole."""
    state = {
        "belongs_to": identity(run),
        "network": run.network.state_dict(),
        "optimizer": run.optimizer.state_dict(),
        "epoch": run.epoch,
        "curves": run.curves,
    }
    files.write_whole(path, lambda file: torch.save(state, file))


def open_folder(run: Run, folder: Path, args: argparse.Namespace) -> None:
    """Go on from the checkpoint in the folder where that is asked for.

    Raises:
        ValueError: if there is work in the folder and neither --resume nor --restart was given, or
            the checkpoint belongs to another run.
    """
    path = folder / CHECKPOINT
    if args.restart:
        return
    if not path.exists():
        if (folder / RECORD).exists():
            raise ValueError(f"{folder} holds a finished run; --restart to train it again")
        return
    if not args.resume:
        raise ValueError(
            f"{folder} holds an unfinished run: --resume to go on, --restart to begin anew"
        )
    load(run, path)


def load(run: Run, path: Path) -> None:
    """Go on from a checkpoint: network, optimizer, epochs done and curves.

    Raises:
        ValueError: if it is damaged, or belongs to a run with other settings, images or dtype.
    """
    try:
        data = BytesIO(path.read_bytes())
        state: dict[str, Any] = torch.load(data, map_location=run.group.device, weights_only=True)
        theirs = state["belongs_to"]
    except (RuntimeError, EOFError, KeyError, TypeError, ValueError, UnpicklingError) as error:
        raise ValueError(
            f"{path} must be a checkpoint of this command, but could not be read "
            f"({type(error).__name__}); --restart to begin anew"
        ) from error
    if changed := [k for k, ours in identity(run).items() if theirs.get(k) != ours]:
        raise ValueError(
            f"{path} belongs to a run with another {', '.join(changed)}; give the same to resume "
            "it, --restart to begin anew, or --out for another folder"
        )
    run.network.load_state_dict(state["network"])
    run.optimizer.load_state_dict(state["optimizer"])
    run.epoch, run.curves = state["epoch"], state["curves"]


def identity(run: Run) -> dict[str, Any]:
    """Return what a checkpoint must share with the run that goes on from it."""
    dtype = str(next(run.network.parameters()).dtype)
    return {**to_dict(run.settings), "images": run.data.fingerprint(), "dtype": dtype}


if __name__ == "__main__":
    sys.exit(main())
