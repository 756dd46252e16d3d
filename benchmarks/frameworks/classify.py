"""Ask the frameworks which words of arrows their gradients keep.

``python -m benchmarks.frameworks.classify`` prints what ``stbp_edu.arrows.classify`` finds; with
``--write`` it also makes ``docs/results/framework-rules.json``, which the table of the frameworks
page is made from. Each framework makes its own run from weights and spikes that it is given, and
differentiates it itself; only its gradients are looked at.
"""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, NamedTuple

from benchmarks.frameworks.candidate import BY_NAME
from benchmarks.frameworks.problem import NEURON
from benchmarks.frameworks.race import publish
from stbp_edu import LIF
from stbp_edu.arrows import classify, network, words
from stbp_edu.arrows.classifier import SIZES, STEPS
from stbp_edu.arrows.part_one import from_lif
from stbp_edu.training.measurements import measurements_folder

RECORD = measurements_folder() / "framework-rules.json"
RTOL = 1e-6  # Norse's surrogate has a constant, √π, in single precision


class Tried(NamedTuple):
    """A neuron of a framework, with the settings that it was tried with.

    Attributes:
        name: as on the page.
        entry: the name of the framework's, of the comparison of speed.
        options: what its function in ``layers`` is told.
        gate: whose arrows it has, those of the linear gate or of the soft one.
    """

    name: str
    entry: str
    options: dict[str, Any] = {}  # noqa: RUF012
    gate: str = "linear"


TRIED = (
    Tried("snnTorch `Leaky`", "snntorch", {"reset": "subtract"}, "soft"),
    Tried('snnTorch `Leaky(reset_mechanism="zero")`', "snntorch"),
    Tried('snnTorch `Leaky(reset_mechanism="zero", reset_delay=False)`', "snntorch",
          {"delay": False}),
    Tried("SpikingJelly `LIFNode`", "spikingjelly"),
    Tried("SpikingJelly `LIFNode(detach_reset=True)`", "spikingjelly", {"detach": True}),
    Tried("Norse `lif_box_feed_forward_step`", "norse"),
)  # fmt: skip


def found(tried: Tried) -> dict[str, Any]:
    """Return which rules a neuron's gradient equals, and the shortest word that they drop."""
    entry, neuron = BY_NAME[tried.entry], replace(NEURON, gate=tried.gate)

    def gradients(trace: Any, targets: Any, params: Any, neuron: LIF) -> Any:
        """Return (W, b) of the framework's own run."""
        given = SimpleNamespace(spikes=trace.O[0], targets=targets, params=params)
        candidate = entry.make(given, **tried.options)
        assert candidate.gradients is not None
        W1, b1, W2, b2 = candidate.gradients()
        return [None, W1, W2], [None, b1, b2]

    verdict = classify(gradients, neuron, twin=False, rtol=RTOL)
    net = network(SIZES, from_lif(neuron))
    dropped = [
        ("enter", *word)
        for rule in verdict.rules[:1]
        for n in range(1, net.N + 1)
        for word in {*words(net, STEPS, n=n)} - {*words(net, STEPS, rule, n)}
    ]
    print(tried.name, verdict)
    return {
        "name": tried.name, "gate": tried.gate, "versions": entry.versions(),
        "rules": list(verdict.rules), "said": str(verdict),
        "dropped": " ".join(min(dropped, key=lambda w: (len(w), w), default=())),
    }  # fmt: skip


def measured() -> dict[str, Any]:
    """Classify what is installed, and return the record."""
    present = [tried for tried in TRIED if not BY_NAME[tried.entry].missing()]
    neuron = {
        "tau": NEURON.tau, "v_th": NEURON.v_th, "surrogate": str(NEURON.surrogate),
    }  # fmt: skip
    return {
        "what": "Which words of arrows the gradients of frameworks keep, in float64",
        "command": "python -m benchmarks.frameworks.classify --write",
        "sizes": SIZES, "T": STEPS, "rtol": RTOL, "neuron": neuron,
        "rows": [found(tried) for tried in present],
    }  # fmt: skip


if __name__ == "__main__":
    publish(__doc__, RECORD, measured)
