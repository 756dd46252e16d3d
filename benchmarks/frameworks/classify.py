"""Ask the frameworks which words of arrows their gradients keep.

``python -m benchmarks.frameworks.classify`` prints what ``stbp_edu.arrows.classify`` finds; with
``--write`` it also makes ``docs/results/framework-rules.json``, which the table of the frameworks
page is made from. Each framework makes its own run from weights and spikes that it is given, and
differentiates it itself; only its gradients are looked at.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import metadata
from typing import Any

from benchmarks.frameworks.problem import NEURON
from stbp_edu import Params
from stbp_edu.arrows import Network, classify, hard_reset, network, soft_reset, words
from stbp_edu.arrows.paths import Word
from stbp_edu.checks import Array
from stbp_edu.files import write_json
from stbp_edu.training.runs import environment, measurements_folder

RECORD = measurements_folder() / "framework-rules.json"
COMMAND = "python -m benchmarks.frameworks.classify --write"
SIZES, T = "2-3-2", 4
RTOL = 1e-6  # Norse's surrogate has a constant, √π, in single precision
MODELS: dict[str, Callable[..., Any]] = {"linear": hard_reset, "soft": soft_reset}


@dataclass(frozen=True)
class Tried:
    """A neuron of a framework, with the settings that it was tried with.

    Attributes:
        name: as on the page.
        module: the module here that builds it.
        packages: what has to be installed, the framework itself first.
        options: what ``build`` of that module is told.
        gate: whose arrows it has, those of the linear gate or of the soft one.
    """

    name: str
    module: str
    packages: tuple[str, ...]
    options: Mapping[str, Any] = field(default_factory=dict)
    gate: str = "linear"

    @property
    def net(self) -> Network:
        """The network of arrows that it is compared with."""
        return network(SIZES, MODELS[self.gate](NEURON))


SNNTORCH, JELLY, NORSE = (("snntorch", "torch"), ("spikingjelly", "torch"), ("norse", "torch"))
TRIED = (
    Tried("snnTorch `Leaky`", "snn_torch", SNNTORCH, {"reset": "subtract"}, "soft"),
    Tried('snnTorch `Leaky(reset_mechanism="zero")`', "snn_torch", SNNTORCH),
    Tried(
        'snnTorch `Leaky(reset_mechanism="zero", reset_delay=False)`', "snn_torch", SNNTORCH,
        {"delay": False},
    ),
    Tried("SpikingJelly `LIFNode`", "spiking_jelly", JELLY),
    Tried("SpikingJelly `LIFNode(detach_reset=True)`", "spiking_jelly", JELLY, {"detach": True}),
    Tried("Norse `lif_box_feed_forward_step`", "norse_box", NORSE),
)  # fmt: skip


@dataclass(frozen=True)
class Given:
    """What a framework reads of a :class:`~benchmarks.frameworks.problem.Problem`."""

    spikes: Array
    targets: Array
    params: Params


def adapter(tried: Tried) -> Callable[..., Any]:
    """Return the function that ``classify`` calls: gradients of the framework's own run."""
    build = importlib.import_module(f"benchmarks.frameworks.{tried.module}").build

    def gradients(net: Network, params: Any, trace: Any, targets: Array) -> list[Any]:
        """Return the framework's gradients, in the form of the parameters."""
        W, b = ([None, *(p[k] for p in params[1:])] for k in ("W", "b"))
        given = Given(trace["o"][0], targets, Params(W=W, b=b))
        W1, b1, W2, b2 = build(given, **tried.options).gradients()
        return [None, {"W": W1, "b": b1}, {"W": W2, "b": b2}]

    return gradients


def found(tried: Tried) -> dict[str, Any]:
    """Return which rules a neuron's gradient equals, and the shortest word that it drops."""
    verdict = classify(adapter(tried), tried.net, T=T, twin=False, rtol=RTOL)
    dropped = _dropped(tried.net, verdict.rules[0]) if verdict.rules else verdict.dropped()
    return {
        "name": tried.name,
        "gate": tried.gate,
        "versions": {p: metadata.version(p) for p in tried.packages},
        "rules": list(verdict.rules),
        "said": str(verdict),
        "dropped": " ".join(dropped[0]) if dropped else "",
    }


def _dropped(net: Network, rule: str) -> list[Word]:
    """Return the words that a rule drops, from every layer, the shortest first."""
    lost = (set(words(net, T, n=n)) - set(words(net, T, rule, n)) for n in range(1, net.N + 1))
    return sorted((("enter", *word) for one in lost for word in one), key=lambda w: (len(w), w))


def missing(tried: Tried) -> list[str]:
    """Return the packages that are not installed."""
    return [p for p in tried.packages if importlib.util.find_spec(p) is None]


def main() -> None:
    """Classify what is installed, print it, and write the record where asked."""
    parser = argparse.ArgumentParser(prog=COMMAND.removesuffix(" --write"), description=__doc__)
    parser.add_argument("--write", action="store_true", help=f"write {RECORD.name}")
    args = parser.parse_args()
    absent = sorted({p for tried in TRIED for p in missing(tried)})
    if args.write and absent:
        parser.error(f"--write makes a record of everybody; not installed: {', '.join(absent)}")
    rows = [found(tried) for tried in TRIED if not missing(tried)]
    for row in rows:
        print(f"{row['name']}: {row['said']}")
    for package in absent:
        print(f"not installed: {package}")
    if args.write:
        write_json(
            RECORD,
            {
                "what": "Which words of arrows the gradients of frameworks keep, in float64",
                "command": COMMAND,
                "sizes": SIZES,
                "T": T,
                "rtol": RTOL,
                "neuron": {
                    "tau": NEURON.tau,
                    "v_th": NEURON.v_th,
                    "surrogate": str(NEURON.surrogate),
                },
                **environment(),
                "rows": rows,
            },
        )


if __name__ == "__main__":
    main()
