"""The neurons as tables: every arrow's factor and every update, from a few numbers."""

from dataclasses import replace

import numpy as np
import pytest

from stbp_edu import LIF, Gaussian
from stbp_edu.arrows import hard_reset, soft_reset, with_adaptation, with_current

PAST = {
    "u": np.array([0.3, -0.2]),
    "o": np.array([0.25, 1.0]),
    "i": np.array([0.1, 0.7]),
    "a": np.array([2.0, 0.5]),
}
X = np.array([0.8, -0.4])
U, O, I, A = (PAST[name] for name in "uoia")
V_TH, ALPHA, BETA, RHO = 0.5, 0.7, 0.4, 0.8


def lif(gate):
    """The constants that all neurons here share."""
    return LIF(0.6, V_TH, Gaussian(0.7), "linear" if gate == "soft" else gate)


def bell(v):
    """The surrogate at a distance."""
    return np.exp(-v * v / 1.4) / np.sqrt(1.4 * np.pi)


def kept(gate, tau):
    """What is left of u, and its slopes by u, by o and by τ."""
    decay = np.exp(-O / tau)
    return {
        "exponential": (U * tau * decay, tau * decay, -U * decay, U * decay * (1 + O / tau)),
        "linear": (U * tau * (1 - O), tau * (1 - O), -U * tau, U * (1 - O)),
        "soft": (U * tau - V_TH * O, tau, -V_TH, U),
    }[gate]


def made(gate, **options):
    """The neuron of a gate."""
    return (soft_reset if gate == "soft" else hard_reset)(lif(gate), **options)


def factors(neuron, params):
    """The factor of each arrow by its kind, and what stands for one that forgets."""
    ones = np.ones(2)
    return {
        (arrow.kind, forgets): (factor(PAST, params) * ones).tolist()
        for arrow in neuron.arrows
        for forgets, factor in ((False, arrow.factor), (True, arrow.leak))
        if factor is not None
    }


@pytest.mark.parametrize("gate", ["exponential", "linear", "soft"])
@pytest.mark.parametrize(("params", "tau"), [({}, 0.6), ({"tau": np.array(0.9)}, 0.9)])
def test_the_neuron_of_part_one_and_its_own_leak(gate, params, tau):
    neuron = made(gate, learn_leak=True)
    left, by_u, by_o, by_tau = kept(gate, tau)
    ones = np.ones(2)
    assert factors(neuron, params) == {
        ("spike", False): pytest.approx(bell(U - V_TH), rel=1e-12),
        ("carry", False): pytest.approx(by_u * ones, rel=1e-12),
        ("carry", True): [tau, tau],
        ("reset", False): pytest.approx(by_o * ones, rel=1e-12),
    }
    update = neuron.state("u").update
    assert update({}, PAST, X, params) == pytest.approx(left + X, rel=1e-12)
    assert neuron.state("o").update(PAST, {}, X, {}) == pytest.approx(U - V_TH)
    ((name, entered),) = neuron.enters
    assert (name, entered.target, entered.initial, entered.step) == ("tau", "u", 0.6, 0)
    before = {"u": U, **{f"{name}-1": value for name, value in PAST.items()}}
    assert entered.factor(before, params) == pytest.approx(by_tau, rel=1e-12)
    assert made(gate).learned == {}
    assert (neuron.input, neuron.output, neuron.state("o").fires) == ("u", "o", True)
    assert neuron.surrogate == Gaussian(0.7)


LETTERS = {
    "exponential": ("f(o{})", "u{} f'(o{})", r"u{} \partial_{\tau}f(o{})"),
    "linear": ("f(o{})", "u{} f'(o{})", r"u{} \partial_{\tau}f(o{})"),
    "soft": (r"\tau", "-V_{th}", "u{}"),
}


@pytest.mark.parametrize("gate", LETTERS)
def test_the_arrows_of_part_one_and_their_letters(gate):
    neuron, (carry, reset, leak) = made(gate, learn_leak=True), LETTERS[gate]
    assert [(a.kind, a.source, a.target, a.step, a.letters) for a in neuron.arrows] == [
        ("spike", "u", "o", 0, "h(u{})"),
        ("carry", "u", "u", 1, carry),
        ("reset", "o", "u", 1, reset),
    ]
    assert neuron.enters[0][1].letters.replace("{-}", "{}") == leak
    assert [(s.name, s.adjoint) for s in neuron.states] == [("u", r"\varepsilon"), ("o", r"\delta")]


@pytest.mark.parametrize("gate", ["linear", "soft"])
def test_a_current_stands_between_what_comes_in_and_the_potential(gate):
    plain = made(gate)
    neuron = with_current(plain, ALPHA)
    assert neuron.input == "i"
    assert [s.name for s in neuron.states] == ["i", "u", "o"]
    assert neuron.state("i").adjoint == r"\gamma"
    assert neuron.state("i").update({}, PAST, X, {}) == pytest.approx(ALPHA * I + X)
    now = {"i": np.array([5.0, 6.0])}
    left = kept(gate, 0.6)[0]
    assert neuron.state("u").update(now, PAST, X, {}) == pytest.approx(left + now["i"])
    new = [(a.kind, a.source, a.target, a.step, a.letters) for a in neuron.arrows[3:]]
    assert new == [("decay", "i", "i", 1, r"\alpha"), ("charge", "i", "u", 0, "")]
    assert [a.kind for a in neuron.arrows[:3]] == [a.kind for a in plain.arrows]
    found = factors(neuron, {})
    assert found["decay", False] == [ALPHA] * 2
    assert found["charge", False] == [1.0] * 2


def test_the_threshold_rises_with_each_spike():
    neuron = with_adaptation(made("linear"), BETA, RHO)
    assert [s.name for s in neuron.states] == ["a", "u", "o"]
    assert neuron.state("a").adjoint == r"\zeta"
    assert neuron.state("a").update({}, PAST, X, {}) == pytest.approx(RHO * A + O)
    v = U - V_TH - BETA * A
    assert neuron.state("o").update(PAST, {}, X, {}) == pytest.approx(v)
    higher = r"h(u{}-\beta a{})"
    assert [(a.kind, a.source, a.target, a.step, a.letters) for a in neuron.arrows] == [
        ("spike", "u", "o", 0, higher),
        ("carry", "u", "u", 1, "f(o{})"),
        ("reset", "o", "u", 1, "u{} f'(o{})"),
        ("relax", "a", "a", 1, r"\rho"),
        ("threshold", "a", "o", 0, r"-\beta " + higher),
        ("adapt", "o", "a", 1, ""),
    ]
    found = factors(neuron, {})
    assert found["spike", False] == pytest.approx(bell(v), rel=1e-12)
    assert found["threshold", False] == pytest.approx(-BETA * bell(v), rel=1e-12)
    assert (found["adapt", False], found["relax", False]) == ([1.0] * 2, [RHO] * 2)


def test_a_current_on_a_neuron_that_adapts_leaves_both_as_they_are():
    both = with_current(with_adaptation(made("soft"), BETA, RHO), ALPHA)
    assert [s.name for s in both.states] == ["i", "a", "u", "o"]
    assert both.state("a").update({}, PAST, X, {}) == pytest.approx(RHO * A + O)
    assert both.order[-1] == "o"


def test_a_table_made_by_hand_has_no_lines_to_add_to():
    by_hand = replace(made("linear"), lines=None)
    with pytest.raises(ValueError, match="neuron must have forward lines, got a table made"):
        with_current(by_hand, ALPHA)
