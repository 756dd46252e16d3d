"""The candidates: what each consists of, and the list of all of them."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import metadata
from typing import Any

from benchmarks.frameworks.problem import Problem

Arrays = list[Any]  # dL/dW1, dL/db1, dL/dW2, dL/db2


@dataclass(frozen=True)
class Candidate:
    """A training step, ready to run.

    Attributes:
        step: forward, backward, Adam; returns when all of it is done.
        gradients: the gradients at the initial parameters, called before any step; None where
            there is nothing to compare.
        reference: the gradients that they must equal; None for those of this problem.
    """

    step: Callable[[], object]
    gradients: Callable[[], Arrays] | None = None
    reference: Callable[[], Arrays] | None = None


@dataclass(frozen=True)
class Entry:
    """One line of the comparison.

    Attributes:
        name: as in the record.
        title: as on the page.
        build: ``module:function`` in this folder, which makes the candidate.
        packages: what has to be installed, the framework itself first.
        rule: the rule of :mod:`stbp_edu.rules` whose gradient it computes.
        form: how it is used, in a sentence.
        peer: whether it is one of the spiking frameworks, run as it comes.
        home_only: whether it is measured at the main size alone, since it takes long to make.
        learned: whether its network has learned for an epoch, instead of being a new one.
    """

    name: str
    title: str
    build: str
    packages: tuple[str, ...] = ()
    rule: str = "exact"
    form: str = ""
    peer: bool = field(default=False)
    home_only: bool = field(default=False)
    learned: bool = field(default=False)

    def missing(self) -> list[str]:
        """Return the packages that are not installed."""
        return [p for p in self.packages if importlib.util.find_spec(p) is None]

    def versions(self) -> dict[str, str]:
        """Return the versions of its packages."""
        return {p: metadata.version(p) for p in self.packages if p not in self.missing()}

    def make(self, problem: Problem) -> Candidate:
        """Import the framework and build the candidate."""
        module, function = self.build.split(":")
        loaded = importlib.import_module(f"benchmarks.frameworks.{module}")
        made: Candidate = getattr(loaded, function)(problem)
        return made


ENTRIES = (
    Entry(
        "ours", "stbp_edu", "trainer_step:active_pixels",
        form="the trainer's own step: two processes with half the batch each, every image with "
        "its own lit pixels (below 16 time steps: those lit in its half), loss and firing rates "
        "included",
    ),
    Entry(
        "ours-all-pixels", "stbp_edu, all pixels", "trainer_step:all_pixels",
        form="the same with every pixel",
    ),
    Entry(
        "ours-learned", "stbp_edu, after an epoch", "trainer_step:active_pixels",
        form="the same step of a network that has seen every training image once: images that it "
        "answers perfectly send no error back and are left out of the backward pass",
        home_only=True, learned=True,
    ),
    Entry(
        "products", "the dense matrix products alone", "matrix_products:build",
        form="the five products of a step in NumPy, and neither neuron nor Adam",
    ),
    Entry(
        "torch-loop", "plain PyTorch loop", "torch_plain:loop", ("torch",),
        form="a loop over time, the spike an autograd.Function; fused Adam",
    ),
    Entry(
        "torch-compile", "torch.compile", "torch_plain:compiled", ("torch",),
        form="neuron and backward pass written by hand, compiled as one graph; fused Adam",
    ),
    Entry(
        "snntorch", "snnTorch", "snn_torch:build", ("snntorch", "torch"), "detached-reset",
        "Leaky with reset_mechanism zero, which detaches the reset; fused Adam", True,
    ),
    Entry(
        "spikingjelly", "SpikingJelly", "spiking_jelly:build", ("spikingjelly", "torch"),
        form="LIFNode in multi-step mode, decay_input off; fused Adam", peer=True,
    ),
    Entry(
        "norse", "Norse", "norse_box:build", ("norse", "torch"),
        form="LIFBoxCell; fused Adam", peer=True,
    ),
    Entry(
        "snntorch-compile", "snnTorch, compiled", "snn_torch:compiled", ("snntorch", "torch"),
        "detached-reset", "the network above through torch.compile; fused Adam", home_only=True,
    ),
    Entry(
        "spikingjelly-compile", "SpikingJelly, compiled", "spiking_jelly:compiled",
        ("spikingjelly", "torch"), form="the network above through torch.compile; fused Adam",
        home_only=True,
    ),
    Entry(
        "norse-compile", "Norse, compiled", "norse_box:compiled", ("norse", "torch"),
        form="the network above through torch.compile; fused Adam", home_only=True,
    ),
    Entry(
        "jax", "JAX", "jax_vjp:build", ("jax",),
        form="the layer's backward pass written by hand (custom_vjp), all of the step in one jit",
    ),
    Entry(
        "torch-bridge", "stbp_edu.torch", "torch_plain:bridge", ("torch",),
        form="the layers of this package's bridge, run eagerly; fused Adam", home_only=True,
    ),
)  # fmt: skip
BY_NAME = {entry.name: entry for entry in ENTRIES}
