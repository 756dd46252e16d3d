"""Ask the frameworks which words of arrows their gradients keep.

``python -m benchmarks.frameworks.classify`` prints what ``stbp_edu.arrows.classify`` finds; with
``--write`` it also makes ``docs/results/framework-rules.json``, which the table of the frameworks
page is made from. Each framework makes its own run from weights and spikes that it is given, and
differentiates it itself; only its gradients are looked at.
"""

import argparse
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

from benchmarks.frameworks.candidate import BY_NAME, Entry
from benchmarks.frameworks.problem import NEURON
from stbp_edu import LIF
from stbp_edu._support.files import write_json
from stbp_edu.arrows import classify, network, words
from stbp_edu.arrows.finder.classifier import SIZES, STEPS
from stbp_edu.arrows.part_one import from_lif
from stbp_edu.arrows.unrolled import Word
from stbp_edu.training.measurements import environment, measurements_folder, origin

RECORD = measurements_folder() / "framework-rules.json"
COMMAND = "python -m benchmarks.frameworks.classify --write"
RTOL = 1e-6  # Norse's surrogate has a constant, √π, in single precision


@dataclass(frozen=True)
class Tried:
    """A neuron of a framework, with the settings that it was tried with.

    Attributes:
        name: as on the page.
        entry: the framework's, of the comparison of speed.
        options: what its ``build`` is told.
        gate: whose arrows it has, those of the linear gate or of the soft one.
    """

    name: str
    entry: Entry
    options: dict[str, Any]
    gate: str = "linear"

    @property
    def neuron(self) -> LIF:
        """The neuron that it is compared with."""
        return replace(NEURON, gate=self.gate)

    def gradients(self, trace: Any, targets: Any, params: Any, neuron: LIF) -> Any:
        """Return (W, b) of the framework's own run."""
        given = SimpleNamespace(spikes=trace.O[0], targets=targets, params=params)
        W1, b1, W2, b2 = self.entry.make(given, **self.options).gradients()
        return [None, W1, W2], [None, b1, b2]


SNNTORCH, JELLY, NORSE = (
    BY_NAME[name] for name in ("snntorch", "spikingjelly", "norse")
)
TRIED = (
    Tried("snnTorch `Leaky`", SNNTORCH, {"reset": "subtract"}, "soft"),
    Tried('snnTorch `Leaky(reset_mechanism="zero")`', SNNTORCH, {}),
    Tried('snnTorch `Leaky(reset_mechanism="zero", reset_delay=False)`', SNNTORCH,
          {"delay": False}),
    Tried("SpikingJelly `LIFNode`", JELLY, {}),
    Tried("SpikingJelly `LIFNode(detach_reset=True)`", JELLY, {"detach": True}),
    Tried("Norse `lif_box_feed_forward_step`", NORSE, {}),
)  # fmt: skip


def found(tried: Tried) -> dict[str, Any]:
    """Return which rules a neuron's gradient equals, and the shortest word that it drops."""
    verdict = classify(tried.gradients, tried.neuron, twin=False, rtol=RTOL)
    dropped = (
        _dropped(tried.neuron, verdict.rules[0]) if verdict.rules else verdict.dropped()
    )
    return {
        "name": tried.name,
        "gate": tried.gate,
        "versions": tried.entry.versions(),
        "rules": list(verdict.rules),
        "said": str(verdict),
        "dropped": " ".join(dropped[0]) if dropped else "",
    }


def _dropped(neuron: LIF, rule: str) -> list[Word]:
    """Return the words that a rule drops, from every layer, the shortest first."""
    net, T = network(SIZES, from_lif(neuron)), STEPS
    lost = (
        set(words(net, T, n=n)) - set(words(net, T, rule, n))
        for n in range(1, net.N + 1)
    )
    return sorted(
        (("enter", *word) for one in lost for word in one), key=lambda w: (len(w), w)
    )


def main() -> None:
    """Classify what is installed, print it, and write the record where asked."""
    parser = argparse.ArgumentParser(
        prog=COMMAND.removesuffix(" --write"), description=__doc__
    )
    parser.add_argument("--write", action="store_true", help=f"write {RECORD.name}")
    args = parser.parse_args()
    absent = sorted({p for tried in TRIED for p in tried.entry.missing()})
    if args.write and absent:
        parser.error(
            f"--write makes a record of everybody; not installed: {', '.join(absent)}"
        )
    rows = [found(tried) for tried in TRIED if not tried.entry.missing()]
    for row in rows:
        print(f"{row['name']}: {row['said']}")
    for package in absent:
        print(f"not installed: {package}")
    neuron = {
        "tau": NEURON.tau,
        "v_th": NEURON.v_th,
        "surrogate": str(NEURON.surrogate),
    }
    record = {
        "what": "Which words of arrows the gradients of frameworks keep, in float64",
        "command": COMMAND, "sizes": SIZES, "T": STEPS, "rtol": RTOL, "neuron": neuron,
        **environment(), **origin(), "rows": rows,
    }  # fmt: skip
    if args.write:
        write_json(RECORD, record)


if __name__ == "__main__":
    main()
