"""Random neurons from their lines: their proof, autograd on the text, and their own programs."""

import os

import numpy as np
import pytest

from stbp_edu.arrows import RULES, backward, forbidding_word, forward, online
from tests.arrows.oracle import by_autograd, error
from tests.derive.texts import BELL, derived, run_of


def seeds(few, all_of_them):
    """Return a few seeds for the quick loop, and others marked slow: all in the weekly workflow."""
    if os.environ.get("STBP_EXAMPLES", "quick") in ("quick", "more"):
        all_of_them //= 3
    rest = [pytest.param(k, marks=pytest.mark.slow) for k in range(few, all_of_them)]
    return pytest.mark.parametrize("seed", [*range(few), *rest])


@seeds(3, 150)
def test_the_proof_holds(seed):
    # every constant learned: factors and gradients by differences, every rule by its paths
    proof = derived(seed).prove()
    assert not proof.faults, str(proof)
    assert all(row.difference <= row.allowed for row in proof.rows), str(proof)


@seeds(10, 300)
def test_gradients_equal_those_of_autograd_on_the_same_text(seed):
    mine = derived(seed, spikes=seed % 7 > 0)
    net, params, inputs, y = run_of(mine.neuron, seed)
    found = backward(net, params, forward(net, params, inputs), y).gradients
    assert set(found[1]) == {"W", "b", "R", *mine.neuron.learned}
    assert error(found, by_autograd(net, params, inputs, y)) < 1e-12


@seeds(4, 60)
def test_the_online_form_equals_the_recursion(seed):
    mine = derived(seed)
    net, params, inputs, y = run_of(mine.neuron, seed, "3-3-2")
    trace = forward(net, params, inputs)
    for rule in RULES:
        if RULES[rule].keeps(net) and not forbidding_word(net, rule):
            assert net.loss.state == "u" or mine.online(rule).word is None
            found = online(net, params, inputs, y, rule)
            assert error(found, backward(net, params, trace, y, rule).gradients) < 1e-11


def by_program(mine, net, params, inputs, y, rule):
    """Return ε of the one layer and what is learned, from the program that the neuron writes."""
    space = {"spike": lambda v: (v >= 0) * 1.0, "h": BELL.derivative}
    exec(mine.program(rule), space)
    lines, p = mine.neuron.lines, params[1]
    constants = {c: p.get(c, value) for c, value in lines.constants.items()}
    states = {s: [np.zeros((2, 2))] for s in [*lines.lines, "x"]}
    for x in inputs:
        states["x"].append(x @ p["W"].T + p["b"])
        last = [states[s][-1] for s in lines.lines]
        now = space["forward"](*last, states["x"][-1], **constants)
        for s, new in zip(lines.lines, now, strict=True):
            states[s].append(new)
    T = len(inputs)
    direct = (np.mean(states["o"][1:], axis=0) - y) / (len(y) * T)
    code = space["backward"].__code__
    wanted = code.co_varnames[: code.co_argcount]
    results = (
        str(mine.program(rule)).splitlines()[-1].removeprefix("    return ").split(", ")
    )
    after, total, epsilon = dict.fromkeys(results, 0.0), {}, []
    for t in range(T, 0, -1):
        given = {"signal": direct, **constants}
        given |= {s: series[t] for s, series in states.items()}
        given |= {f"{s}_last": series[t - 1] for s, series in states.items()}
        given |= {f"{s}_next": series[min(t + 1, T)] for s, series in states.items()}
        given |= {f"{name}_next": value for name, value in after.items()}
        named = {k: given["signal" if k.startswith("signal") else k] for k in wanted}
        got = space["backward"](**named)
        after = dict(zip(results, got, strict=True))
        epsilon.insert(0, after[f"d_{mine.neuron.input}"])
        for name in (name for name in results if name.startswith("g_")):
            total[name[2:]] = total.get(name[2:], 0.0) + after[name]
    return np.array(epsilon), total


@seeds(4, 100)
def test_the_program_gives_the_adjoints_of_every_rule(seed):
    mine = derived(seed)
    net, params, inputs, y = run_of(mine.neuron, 2 * seed + 1, "2-2")
    trace = forward(net, params, inputs)
    for rule in (rule for rule in RULES if RULES[rule].keeps(net)):
        expected = backward(net, params, trace, y, rule)
        epsilon, learned = by_program(mine, net, params, inputs, y, rule)
        wanted = expected.adjoints[mine.neuron.input][1]
        assert np.abs(epsilon - wanted).max() <= 1e-12 * max(np.abs(wanted).max(), 1e-3)
        for name, value in learned.items():
            each = name in mine.neuron.each
            value = value.sum(axis=0) if each else np.sum(value)
            assert value == pytest.approx(
                expected.gradients[1][name], rel=1e-10, abs=1e-13
            )
