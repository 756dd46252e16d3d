"""Learning forward in time: equal to the backward form, with memory that T does not change."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given

from stbp_edu import LIF, Gaussian, arrows, derive
from stbp_edu.losses import RATE, StepCrossEntropy
from tests.arrows.oracle import Case, cases, error

ABLE = ("spatial-only", "ottt", "e-prop", "e-prop-reset")


@given(case=cases())
def test_online_equals_backward(case):
    """Every rule that has an online form, on every neuron × loss × connection: 1e-12.

    In one layer nothing leaves the neuron but to the loss, and even the exact rule has one.
    """
    net, params, trace, inputs, y = case.run()
    able = [name for name in arrows.RULES if not arrows.forbidding_word(net, name)]
    assert set(ABLE if net.N > 1 else arrows.RULES) <= set(able)
    for rule in able:
        got = arrows.online(net, params, inputs, y, rule, twin=case.twin)
        want = arrows.backward(net, params, trace, y, rule).gradients
        assert error(got, want) <= 1e-12, rule


def test_p2_trace_step_p2_trace_signal_p2_trace_w_written_out():
    """Each trace as the sum over all earlier inputs, each times the gates in between."""
    case = Case(sizes="3-2-2", reset="linear", T=5)
    net, params, trace, inputs, y = case.run()
    f = [None, *(case.lif.f(o) for o in trace["o"][1:])]
    h = [None, *(case.lif.h(u) for u in trace["u"][1:])]
    s = {2: h[2] * net.loss.direct(trace["o"][2], y)}
    s[1] = h[1] * (s[2] @ params[2]["W"])
    got = arrows.online(net, params, inputs, y, "ottt")
    for n in (1, 2):
        expected = sum(
            np.einsum(
                "si,sj->ij", s[n][t] * f[n][k:t].prod(axis=0), trace["o"][n - 1][k]
            )
            for t in range(case.T)
            for k in range(t + 1)
        )
        np.testing.assert_allclose(got[n]["W"], expected, rtol=1e-12, atol=1e-15)


def test_p2_trace_adapt_written_out():
    """Both traces of one layer, step by step, from the run's potentials and spikes."""
    case = Case(sizes="3-2", reset="linear", adaptation=True, T=5)
    net, params, trace, inputs, y = case.run()
    beta, rho = case.beta, case.rho
    u, a, o = (trace[k][1] for k in "uao")
    h, f = case.lif.h(u - beta * a)[..., None], case.lif.f(o)[..., None]
    signal = h[..., 0] * net.loss.direct(o, y)
    e = np.broadcast_to(inputs[0][:, None], (*u.shape[1:], 3))
    e_hat, expected = np.zeros_like(e), 0.0
    for t in range(case.T):
        if t:
            e_hat = rho * e_hat + h[t - 1] * (e - beta * e_hat)
            e = f[t - 1] * e + inputs[t][:, None]
        expected = expected + np.einsum("si,sij->ij", signal[t], e - beta * e_hat)
    got = arrows.online(net, params, inputs, y, "e-prop")[1]["W"]
    np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize(
    ("sizes", "rule", "word"),
    [
        ("2-2-1", "exact", "enter spike weight carry spike readout"),
        ("2-2-1", "classic", "enter spike weight spike reset spike readout"),
        ("2-2R", "exact", "enter spike recur spike readout"),
    ],
)
def test_a_rule_without_an_online_form_shows_the_word_that_forbids_it(
    sizes, rule, word
):
    case = Case(sizes=sizes)
    net, params, _, inputs, y = case.run()
    assert " ".join(arrows.forbidding_word(net, rule)) == word
    assert tuple(word.split()[1:]) in {
        w for n in (1, net.N) for w in arrows.words(net, 4, rule, n)
    }
    with pytest.raises(
        ValueError, match=f"'{rule}' has no online form .* the word '{word}'"
    ):
        arrows.online(net, params, inputs, y, rule)


@pytest.mark.slow
@pytest.mark.parametrize("per_step", [True, False])
def test_memory_is_flat_from_10_to_120_steps(per_step):
    """The inputs are one step, shown again and again; the run would be 280 KB longer.

    CPython keeps up to 2,000 small tuples of a size that were let go, which is no memory of ours.
    """
    loss = StepCrossEntropy() if per_step else RATE
    net = arrows.network(
        "20-30R-10", arrows.hard_reset(LIF(0.9, 0.5, Gaussian(1.0))), loss
    )
    rng = np.random.default_rng(0)
    params, y = arrows.draw_params(net, rng), np.eye(10)[:4]
    x = rng.random((1, 4, 20))

    def peak(T):
        inputs = np.broadcast_to(x, (T, 4, 20))
        tracemalloc.start()
        arrows.online(net, params, inputs, y, "e-prop-reset")
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak(2)  # what is made once
    short, long = peak(10), peak(120)
    assert long <= 1.05 * short + 100_000


def test_steps_before_are_written_with_one_minus():
    """A factor that reads the step before its tail's, in a trace that reads the step before."""
    mine = derive("i = 0.5 * i * u + x\nu = 0.6 * u + i\no = spike(u - 0.4)")
    for rule in ("ottt", "e-prop"):
        written = "\n".join(map(str, mine.online(rule).formulas))
        assert "--" not in written
        assert "t-1" in written
