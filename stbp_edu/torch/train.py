"""Train in PyTorch, on a GPU where there is one, in one process or in several.

``python -m stbp_edu.torch.train mnist`` is one process; started by ``torchrun``, several share each
batch, and the gradient is that of one::

    torchrun --nproc-per-node 2 -m stbp_edu.torch.train mnist

All but the two passes is what ``stbp-edu train`` does: options, what is drawn from the seed, the
updates, and the files, so that either command goes on with a run of the other.
"""

import argparse
import sys
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from stbp_edu.arrays import Tensors, Trained, by_layer
from stbp_edu.checks import Array
from stbp_edu.cli import train as command
from stbp_edu.network import Trace
from stbp_edu.torch.distributed import Group, PeerEndedError, group
from stbp_edu.torch.layers import LIFNetwork
from stbp_edu.torch.parameters import to_params, to_state
from stbp_edu.training.data import CATALOGUE
from stbp_edu.training.runs import earlier_work
from stbp_edu.training.settings import Settings
from stbp_edu.training.trainer import train


class TensorPasses:
    """The passes through a network's modules, each process of a group with its share of samples.

    Attributes:
        network: the modules.
        seen: this process's share of the input, as a tensor.
        trace: its share of the forward pass, as tensors.
    """

    seen: Tensor
    trace: Trace

    def __init__(self, settings: Settings, params: Trained, processes: Group) -> None:
        hidden, last = settings.make_neurons()
        neurons = [*[hidden] * (params.N - 1), last]
        network = LIFNetwork.from_params(params, neurons, settings.make_rule())
        self.network = network.to(processes.device)
        self.settings, self.processes = settings, processes

    def forward(self, spikes: Array) -> Trace:
        """Return the forward pass of all samples, from the input (T, S, n[0])."""
        mine = self.processes.share(spikes.shape[1])
        self.seen = self._tensor(spikes[:, mine]).requires_grad_(self.settings.adversarial > 0)
        self.trace = self.network.trace(self.seen)
        U, O = self.trace.U, self.trace.O
        outputs = (self._whole(o, spikes.shape[1]) for o in O[1:])
        return Trace([*[None] * (len(U) - 1), self._whole(U[-1], spikes.shape[1])],
                     [spikes, *outputs])  # fmt: skip

    def gradients(self, trace: Trace, targets: Array) -> Tensors:
        """Return the gradient of all samples under the rule, by layer."""
        self._backward(trace, targets)
        self.processes.add_gradients(self.network)
        found = {name: p.grad for name, p in self.network.named_parameters()}
        return by_layer(to_params(found))

    def input_gradient(self, trace: Trace, targets: Array) -> Array:
        """Return the derivative by an input that is the same at every step, (S, n[0])."""
        self._backward(trace, targets)
        assert self.seen.grad is not None
        return self._whole(self.seen.grad.sum(0, keepdim=True), len(targets))[0]

    def _backward(self, trace: Trace, targets: Array) -> None:
        """Go back from the direct terms of this process's samples."""
        self.network.zero_grad()
        terms = self.settings.make_loss().terms(trace, targets, len(targets))
        mine = self.processes.share(len(targets))
        both = zip((self.trace.O[-1], self.trace.U[-1]), terms, strict=True)
        read = [(series, self._tensor(term[:, mine])) for series, term in both if term is not None]
        series, signals = zip(*read, strict=True)
        torch.autograd.backward(series, signals)

    def _tensor(self, array: Array) -> Tensor:
        """Return an array on the device, in the type of the weights."""
        like = next(self.network.parameters())
        return torch.tensor(array, dtype=like.dtype, device=like.device)

    def _whole(self, part: Tensor, samples: int) -> Array:
        """Return what all processes have, (T, S, ...), from the share of each."""
        return self.processes.whole(part.detach(), samples).cpu().numpy()


def passes_in(processes: Group) -> Callable[[Trained, Settings], TensorPasses]:
    """Return what makes the passes of a step from its parameters, as training asks for them."""
    made: dict[Settings, TensorPasses] = {}

    def passes(params: Trained, settings: Settings) -> TensorPasses:
        """Return the passes with these parameters."""
        if settings not in made:
            made[settings] = TensorPasses(settings, params, processes)
        network = made[settings].network
        network.load_state_dict(to_state(params, network.state_dict()))
        return made[settings]

    return passes


def arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line: that of ``stbp-edu train``, and a device."""
    parser = argparse.ArgumentParser(prog="python -m stbp_edu.torch.train", description=__doc__)
    command.train_arguments(parser)
    parser.add_argument("--device", help="cpu or cuda (cuda where there is one)")
    return parser.parse_args(argv)


def chosen_settings(args: argparse.Namespace) -> Settings:
    """Return the settings of the run: one rule, and layers that are fully connected.

    Raises:
        ValueError: if a setting is unusable, or the network has convolutions.
    """
    args.rule = args.rule or CATALOGUE[args.dataset].recipe.rule
    settings = replace(command.chosen_settings(args), rule=args.rule)
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
        chosen_settings(args)
        with group(args.device) as processes:
            if processes.rank == 0:
                return command.train(args, passes_in(processes))
            (config,) = command.planned(args)  # the first process has the folder for all
            earlier, record = earlier_work(config, resume=args.resume, restart=args.restart)
            state = earlier.state if earlier else None
            steps = train(config.settings, config.data, state, passes_in(processes))
            deque(() if record else steps, maxlen=0)
    except PeerEndedError as error:
        print(f"stbp_edu.torch.train: {error}", file=sys.stderr, flush=True)
        return 3
    except (ValueError, TypeError, OSError, ImportError) as error:
        print(f"stbp_edu.torch.train: {error}", file=sys.stderr, flush=True)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
