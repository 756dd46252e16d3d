"""Advice on a network that does not learn: what is wrong, and what to change."""

from collections.abc import Sequence
from dataclasses import dataclass

from stbp_edu import checks
from stbp_edu.training.evaluation import BatchStatistics
from stbp_edu.training.settings import Settings

SILENT = 0.002  # spikes per neuron and step
SATURATED = 0.95
CHANCE = 1.5  # times the accuracy of guessing

INPUT = """the input is silent: its neurons fire in {rate:.2%} of steps. Check that the images are \
not blank and lie in [0, 1]."""
SILENT_LAYER = """{name} is silent: its neurons fire in {rate:.2%} of steps, so that {loses}. \
Lower the threshold (v_th = {v_th:g} now), start with larger weights (init_scale), or widen the \
surrogate (a), so that potentials far below the threshold still get a gradient."""
SATURATED_LAYER = """{name} is saturated: its neurons fire in {rate:.1%} of steps, so their spikes \
tell the images apart no longer. Raise the threshold (v_th = {v_th:g} now) or start with smaller \
weights (init_scale)."""
SILENT_OUTPUT = """output neuron {i} is silent: it fires in {rate:.2%} of steps, so the network \
never answers {i} and the loss ({loss:.3f} now) cannot fall much below {floor:.2f}. Try another \
seed, smaller initial weights (init_scale), or a surrogate that reaches further (gaussian, or a \
larger a)."""
SATURATED_OUTPUT = """output neuron {i} is saturated: it fires in {rate:.1%} of steps whatever the \
image. Try a smaller learning rate (lr) or smaller initial weights (init_scale)."""
GUESSES = """the network guesses: it is right for {accuracy:.1%} of the images it learns from, and \
chance is {chance:.1%}. The gradient may grow from step to step: for a silent neuron the exact \
gain is τ - u·h(u), and above 1 in size it explodes. Try a wider surrogate (a), the gaussian, \
fewer steps (T), a smaller learning rate (lr), or rule = detached-reset to see whether the reset \
path is the cause."""


@dataclass(frozen=True)
class Advice:
    """One finding, and what to do about it.

    Attributes:
        where: ``"layer 1"``, ``"output 3"`` or ``"network"``.
        kind: ``"silent"``, ``"saturated"`` or ``"chance"``.
        message: what is seen, why it matters and what to change.
    """

    where: str
    kind: str
    message: str


def diagnose_layers(rates: Sequence[float], v_th: float) -> list[Advice]:
    """Find layers that are silent or saturated.

    Args:
        rates: mean firing rate of each layer 0..N, in spikes per neuron and step.
        v_th: the threshold, which the message names.

    >>> [a.kind for a in diagnose_layers([0.2, 0.0, 0.1], 1.5)]
    ['silent']
    """
    checks.number("v_th", v_th)
    if not isinstance(rates, list | tuple):
        raise TypeError(f"rates must be a list, got {checks.brief(rates)}; give one a layer")
    advice, last = [], len(rates) - 1
    for n, rate in enumerate(rates):
        checks.number(f"rates[{n}]", rate)
        loses = "the layers above get their biases and hardly anything else"
        words = {
            "name": f"layer {n}" + " (output)" * (n == last), "rate": rate, "v_th": v_th,
            "loses": "every image gets the same answer" if n == last else loses,
        }  # fmt: skip
        if rate < SILENT:
            told = (SILENT_LAYER if n else INPUT).format(**words)
            advice.append(Advice(f"layer {n}", "silent", told))
        elif rate > SATURATED and n > 0:
            advice.append(Advice(f"layer {n}", "saturated", SATURATED_LAYER.format(**words)))
    return advice


def diagnose_outputs(rates: Sequence[float], loss: float) -> list[Advice]:
    """Find output neurons that never fire or always do, where the output layer as a whole is fine.

    ``loss`` is the mean loss over the steps in which these were the firing rates.

    >>> [a.where for a in diagnose_outputs([0.1, 0.0, 0.1], 0.05)]
    ['output 1']
    """
    kinds = {"silent": SILENT_OUTPUT, "saturated": SATURATED_OUTPUT}
    found = {i: "silent" if r < SILENT else "saturated" for i, r in enumerate(rates)
             if not SILENT <= r <= SATURATED}  # fmt: skip
    words = {"loss": loss, "floor": 0.5 / len(rates)}
    return [
        Advice(f"output {i}", kind, kinds[kind].format(i=i, rate=rates[i], **words))
        for i, kind in found.items()
    ]


def diagnose_learning(accuracy: float, classes: int) -> list[Advice]:
    """Find a network that guesses, although its layers fire.

    >>> diagnose_learning(0.9, 10)
    []
    """
    if accuracy >= CHANCE / classes:
        return []
    return [Advice("network", "chance", GUESSES.format(accuracy=accuracy, chance=1 / classes))]


def diagnose(seen: BatchStatistics, settings: Settings, settled: bool) -> list[Advice]:
    """Return advice on the layers, or where there is none on outputs and accuracy, if settled."""
    advice, outputs = diagnose_layers(seen.rates, settings.v_th), seen.outputs.tolist()
    learning = diagnose_learning(seen.accuracy, len(outputs))
    if not settings.has_output_spikes or settings.make_loss().reads == "U":  # not the spikes
        advice = [a for a in advice if a.where != f"layer {len(seen.rates) - 1}"]
        return advice or learning * settled
    return advice or (diagnose_outputs(outputs, seen.loss) + learning) * settled
