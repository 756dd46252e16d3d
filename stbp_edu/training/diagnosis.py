"""Advice on a network that does not learn: what is wrong, and what to change."""

from collections.abc import Sequence
from dataclasses import dataclass

from stbp_edu import checks

SILENT = 0.002  # spikes per neuron and step
SATURATED = 0.95
CHANCE = 1.5  # times the accuracy of guessing


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
    advice = []
    if not isinstance(rates, list | tuple):
        raise TypeError(f"rates must be a list, got {checks.brief(rates)}; give one a layer")
    for n, rate in enumerate(rates):
        checks.number(f"rates[{n}]", rate)
        name = f"layer {n}" + " (output)" * (n == len(rates) - 1)
        if rate < SILENT and n == 0:
            message = (
                f"the input is silent: its neurons fire in {rate:.2%} of steps. Check that the "
                "images are not blank and lie in [0, 1]."
            )
            advice.append(Advice("layer 0", "silent", message))
        elif rate < SILENT:
            loses = (
                "every image gets the same answer"
                if n == len(rates) - 1
                else ("the layers above get their biases and hardly anything else")
            )
            message = (
                f"{name} is silent: its neurons fire in {rate:.2%} of steps, so that {loses}. "
                f"Lower the threshold (v_th = {v_th:g} now), start with larger weights "
                "(init_scale), or widen the surrogate (a), so that potentials far below the "
                "threshold still get a gradient."
            )
            advice.append(Advice(f"layer {n}", "silent", message))
        elif rate > SATURATED and n > 0:
            message = (
                f"{name} is saturated: its neurons fire in {rate:.1%} of steps, so their spikes "
                "tell the images apart no longer. Raise the threshold "
                f"(v_th = {v_th:g} now) or start with smaller weights (init_scale)."
            )
            advice.append(Advice(f"layer {n}", "saturated", message))
    return advice


def diagnose_outputs(rates: Sequence[float], loss: float) -> list[Advice]:
    """Find output neurons that never fire or always do, where the output layer as a whole is fine.

    Args:
        rates: mean firing rate of each output neuron.
        loss: the mean loss over the same steps.

    >>> [a.where for a in diagnose_outputs([0.1, 0.0, 0.1], 0.05)]
    ['output 1']
    """
    floor = 0.5 / len(rates)
    advice = []
    for i, rate in enumerate(rates):
        if rate < SILENT:
            message = (
                f"output neuron {i} is silent: it fires in {rate:.2%} of steps, so the network "
                f"never answers {i} and the loss ({loss:.3f} now) cannot fall much below "
                f"{floor:.2f}. Try another seed, smaller initial weights (init_scale), or a "
                "surrogate that reaches further (gaussian, or a larger a)."
            )
            advice.append(Advice(f"output {i}", "silent", message))
        elif rate > SATURATED:
            message = (
                f"output neuron {i} is saturated: it fires in {rate:.1%} of steps whatever the "
                "image. Try a smaller learning rate (lr) or smaller initial weights (init_scale)."
            )
            advice.append(Advice(f"output {i}", "saturated", message))
    return advice


def diagnose_learning(accuracy: float, classes: int) -> list[Advice]:
    """Find a network that guesses, although its layers fire.

    >>> diagnose_learning(0.9, 10)
    []
    """
    if accuracy >= CHANCE / classes:
        return []
    message = (
        f"the network guesses: it is right for {accuracy:.1%} of the images it learns from, and "
        f"chance is {1 / classes:.1%}. The gradient may grow from step to step: for a silent "
        "neuron the exact gain is τ - u·h(u), and above 1 in size it explodes. Try a wider "
        "surrogate (a), the gaussian, fewer steps (T), a smaller learning rate (lr), or "
        "rule = detached-reset to see whether the reset path is the cause."
    )
    return [Advice("network", "chance", message)]
