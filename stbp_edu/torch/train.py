"""Train in PyTorch, on a GPU where there is one, in one process or in several.

``python -m stbp_edu.torch.train mnist`` is one process; started by ``torchrun``, which tells each
its rank, several share each batch, and the gradient is that of one::

    torchrun --nproc-per-node 2 -m stbp_edu.torch.train mnist

All but the two passes is what ``stbp-edu train`` does: options, what is drawn from the seed, the
updates, and the files, so either command goes on with a run of the other.
"""

# Gloo's threads have to end with the group, since one that is left at the interpreter's end can
# abort it. So nothing may hold on to the group. torch.distributed.nn keeps the one that there is
# when it is imported, and PyTorch imports it late: here it comes first. DistributedDataParallel
# holds the group too, and is held by the error that says that another process has ended; releasing
# it once the group is left may block for good. All-reduces add the gradients in its place.

import argparse
import os
import signal
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import torch
import torch.distributed as dist
import torch.distributed.nn  # before there is a group
from torch import Tensor

from stbp_edu._support.checks import Array
from stbp_edu.arrows import Rule
from stbp_edu.cli import train as command
from stbp_edu.forward_pass import Trace
from stbp_edu.parameters import LayerArrays, Params, by_layer
from stbp_edu.torch.lif_network import LIFNetwork
from stbp_edu.torch.state_dict import to_params, to_state
from stbp_edu.training.data import CATALOGUE
from stbp_edu.training.runs import earlier_run
from stbp_edu.training.settings import Settings
from stbp_edu.training.trainer import train

PATIENCE = timedelta(seconds=20)
"""How long a process waits for the others at a step before it takes them for dead."""


class PeerEndedError(RuntimeError):
    """Another process of the run ended or no longer answers."""


@dataclass(frozen=True)
class Group:
    """The processes of a run, as one of them sees them.

    Attributes:
        rank: the number of this process, from 0.
        size: how many there are.
        device: where this process computes.
    """

    rank: int = 0
    size: int = 1
    device: str = "cpu"

    def share(self, count: int) -> slice:
        """Return which samples of a batch this process takes: all get as many, but for one.

        >>> [Group(rank, 3).share(10) for rank in range(3)]
        [slice(0, 3, None), slice(3, 6, None), slice(6, 10, None)]
        """
        first = count * self.rank // self.size
        end = count * (self.rank + 1) // self.size
        return slice(first, end)

    def add(self, part: Tensor) -> Tensor:
        """Replace a tensor by its sum over the processes, and return it."""
        if self.size > 1:
            dist.all_reduce(part)
        return part


@contextmanager
def group(device: str | None = None) -> Iterator[Group]:
    """Join the processes that torchrun started, or be the only one.

    Args:
        device: ``"cpu"`` or ``"cuda"``; the latter where None, if there is a GPU.

    Raises:
        ValueError: if the device is unknown or not there.
        PeerEndedError: if another process ends before its work is done. The backend says so, or
            torchrun, which ends all that are left with a signal: which comes first is chance.
    """
    cuda = torch.cuda.is_available()
    kind = device or ("cuda" if cuda else "cpu")
    if kind not in ("cpu", "cuda") or (kind == "cuda" and not cuda):
        raise ValueError(
            f"device must be cpu, or cuda where there is a GPU, got {kind!r}"
        )
    if "RANK" not in os.environ:  # which torchrun sets
        yield Group(device=kind)
        return

    def ended(*_: object) -> None:
        raise PeerEndedError(
            "another process of this run has ended, or has not answered for "
            f"{PATIENCE.seconds} seconds; what was saved is whole: start the same command again "
            "with --resume"
        )

    place = f"cuda:{os.environ.get('LOCAL_RANK', '0')}" if kind == "cuda" else "cpu"
    dist.init_process_group("nccl" if kind == "cuda" else "gloo", timeout=PATIENCE)
    before = signal.signal(signal.SIGTERM, ended)
    try:
        yield Group(dist.get_rank(), dist.get_world_size(), place)
    except RuntimeError as error:
        said = str(error).lower()
        if any(word in said for word in ("connection", "timed out", "timeout", "peer")):
            ended()
        raise
    finally:
        signal.signal(signal.SIGTERM, before)
        dist.destroy_process_group()


class SharedNetwork:
    """A network of modules, through which each process of a group passes its share of samples."""

    def __init__(self, processes: Group, params: Params, settings: Settings) -> None:
        self.processes = processes
        neurons, rule = settings.make_neurons(), settings.make_rule()
        network = LIFNetwork.from_params(params, neurons, rule)
        self.network = network.to(processes.device)
        self.loss = settings.make_loss()

    def forward(self, spikes: Array, params: Params) -> Trace:
        """Return the forward pass of all samples, from the input (T, S, n[0])."""
        self.network.load_state_dict(to_state(params, self.network.state_dict()))
        samples = spikes.shape[1]
        self.share = self.processes.share(samples)
        self.trace = self.network.trace(self._tensor(spikes[:, self.share]))
        *outputs, potential = (
            self._whole(part, samples) for part in (*self.trace.O[1:], self.trace.U[-1])
        )
        hidden = [None for _ in outputs]  # only the last potential is read
        return Trace([*hidden, potential], [spikes, *outputs])

    def backward(
        self, trace: Trace, targets: Array, params: Params, rule: Rule
    ) -> LayerArrays:
        """Return the gradient of all samples, by layer, under the rule that the modules have.

        Each process divides the loss of its share by the size of the whole batch, so the sum is the
        gradient of the batch, however unequal the shares are.
        """
        self.network.zero_grad()
        terms = self.loss.terms(trace, targets)
        pairs = zip((self.trace.O[-1], self.trace.U[-1]), terms, strict=True)
        read = [(one, term) for one, term in pairs if term is not None]
        errors = [self._tensor(term[:, self.share]) for _, term in read]
        torch.autograd.backward([one for one, _ in read], errors)
        found = {}
        for name, p in self.network.named_parameters():
            found[name] = self.processes.add(p.grad)
        return by_layer(to_params(found))

    def _tensor(self, array: Array) -> Tensor:
        """Return an array on the device, in the type of the weights."""
        like = next(self.network.parameters())
        return torch.tensor(array, dtype=like.dtype, device=like.device)

    def _whole(self, part: Tensor, samples: int) -> Array:
        """Return the array of all processes, (T, S, ...), from the share of each."""
        whole = part.new_zeros((len(part), samples, *part.shape[2:]))
        whole[:, self.share] = part.detach()
        return self.processes.add(whole).cpu().numpy()


def main(argv: Sequence[str] | None = None) -> int:
    """Train, and return the exit status: 0 where all went well, 3 where another process ended."""
    parser = argparse.ArgumentParser(
        prog="python -m stbp_edu.torch.train", description=__doc__
    )
    command.train_arguments(parser)
    parser.add_argument("--device", help="cpu or cuda (cuda where there is one)")
    args = parser.parse_args(argv)
    try:
        dataset, _ = command.chosen_data(args)
        args.rule = args.rule or CATALOGUE[dataset].recipe.rule  # never both
        with group(args.device) as processes:
            network = partial(SharedNetwork, processes)
            if processes.rank == 0:
                return command.train(args, network)
            # the first process has the folder for all
            (config,) = command.planned(args)
            how = {"resume": args.resume, "restart": args.restart}
            run = earlier_run(config, **how)
            if not run or run.state:
                state = run.state if run else None
                deque(train(config.settings, config.data, state, network), maxlen=0)
    except (PeerEndedError, ValueError, TypeError, OSError, ImportError) as error:
        print(f"stbp_edu.torch.train: {error}", file=sys.stderr, flush=True)
        return 3 if isinstance(error, PeerEndedError) else 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
