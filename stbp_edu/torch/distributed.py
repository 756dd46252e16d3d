"""Processes that share each batch: who is who, what each gets, and how a run ends if one dies.

``torchrun`` starts the processes and tells them their ranks; without it there is one.

Gloo's threads have to end with the group, since one that is left at the interpreter's end can
abort it. So nothing may hold on to the group. ``torch.distributed.nn`` keeps the one that there is
when it is imported, and PyTorch imports it late: here it comes first. ``DistributedDataParallel``
holds the group too, and is held by the error that says that another process has ended; releasing
it once the group is left may block for good. One all-reduce adds the gradients in its place.
"""

import os
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

import torch
import torch.distributed as dist
import torch.distributed.nn  # before there is a group
from torch import Tensor, nn
from torch.nn.utils import parameters_to_vector, vector_to_parameters

PATIENCE = timedelta(seconds=20)
"""How long a process waits for the others at a step before it takes them for dead."""


class PeerEndedError(RuntimeError):
    """Another process of the run ended or no longer answers."""

    def __init__(self) -> None:
        super().__init__(
            "another process of this run has ended, or has not answered for "
            f"{PATIENCE.seconds} seconds; what was saved is whole: start the same command again "
            "with --resume"
        )


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
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))

    def share(self, count: int) -> slice:
        """Return which samples of a batch this process takes: all get as many, but for one.

        >>> [Group(rank, 3).share(10) for rank in range(3)]
        [slice(0, 3, None), slice(3, 6, None), slice(6, 10, None)]
        """
        return slice(count * self.rank // self.size, count * (self.rank + 1) // self.size)

    def add_gradients(self, network: nn.Module) -> None:
        """Replace each gradient by its sum over the processes; one message holds them all.

        Where each process divides the loss of its share by the size of the whole batch, the sum is
        the gradient of the batch, however unequal the shares are.
        """
        if self.size > 1:
            gradients = [p.grad for p in network.parameters()]
            flat = parameters_to_vector(gradients)
            dist.all_reduce(flat)
            vector_to_parameters(flat, gradients)

    def whole(self, part: Tensor, samples: int) -> Tensor:
        """Return (T, S, ...) of all samples, from the share of each process."""
        if self.size == 1:
            return part
        found = part.new_zeros((len(part), samples, *part.shape[2:]))
        found[:, self.share(samples)] = part
        dist.all_reduce(found)
        return found


@contextmanager
def group(device: str | None = None, env: Mapping[str, str] = os.environ) -> Iterator[Group]:
    """Join the processes that torchrun started, or be the only one.

    Args:
        device: ``"cpu"`` or ``"cuda"``; the latter where None, if there is a GPU.
        env: where torchrun leaves RANK, LOCAL_RANK and WORLD_SIZE.

    Raises:
        ValueError: if the device is unknown or not there.
        PeerEndedError: if another process ends before its work is done.
    """
    cuda = torch.cuda.is_available()
    kind = device or ("cuda" if cuda else "cpu")
    if kind not in ("cpu", "cuda") or (kind == "cuda" and not cuda):
        raise ValueError(f"device must be cpu, or cuda where there is a GPU, got {kind!r}")
    if "RANK" not in env:
        yield Group(device=torch.device(kind))
        return
    place = f"cuda:{env.get('LOCAL_RANK', '0')}" if kind == "cuda" else "cpu"
    dist.init_process_group("nccl" if kind == "cuda" else "gloo", timeout=PATIENCE)
    try:
        with _peers_watched():
            yield Group(dist.get_rank(), dist.get_world_size(), torch.device(place))
    finally:
        dist.destroy_process_group()


@contextmanager
def _peers_watched() -> Iterator[None]:
    """Raise PeerEndedError where another process is lost.

    The backend says so, or torchrun, which ends all that are left with a signal: which of them
    comes first is chance.
    """

    def ended(*_: object) -> None:
        raise PeerEndedError

    before = signal.signal(signal.SIGTERM, ended)
    try:
        yield
    except RuntimeError as error:
        lost = ("connection", "timed out", "timeout", "peer", "reset by")
        if any(word in str(error).lower() for word in lost):
            raise PeerEndedError from error
        raise
    finally:
        signal.signal(signal.SIGTERM, before)
