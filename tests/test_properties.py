"""What holds for every network, whatever its numbers: no oracle is asked, and no value is known."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from stbp_edu import LIF, Gaussian, Params, Trace, forward_pass
from stbp_edu.cases import ABLATIONS, CASE_RULES
from stbp_edu.losses import CrossEntropy, StepCrossEntropy
from stbp_edu.neuron import GATES
from stbp_edu.program import loops
from stbp_edu.surrogates import SURROGATES
from stbp_edu.training.optimiser import adam_on_arrays
from tests.networks import fast_backward, fast_forward, make_problem

each_forward = pytest.mark.parametrize(
    "run", [forward_pass.forward, fast_forward], ids=["step by step", "engine"]
)
each_curve = pytest.mark.parametrize("make", SURROGATES.values(), ids=SURROGATES)
real_dtypes = st.sampled_from([np.float32, np.float64])
rules = st.sampled_from(CASE_RULES + ABLATIONS)
seeds = st.integers(0, 9)


def arrays(of):
    """Return W1, W2, ..., b1, b2, ..."""
    return [*of.W[1:], *of.b[1:]]


@each_forward
@pytest.mark.parametrize("threshold", [-0.25, 0.0, 0.1, 0.75])
def test_a_potential_at_the_threshold_itself_fires(run, threshold):
    params = Params(
        W=[None, np.zeros((3, 1))], b=[None, threshold + np.array([-1e-9, 0.0, 1e-9])]
    )
    trace = run(np.ones((1, 1, 1)), params, LIF(v_th=threshold))
    np.testing.assert_array_equal(trace.O[1][0, 0], [0, 1, 1])


@pytest.mark.parametrize("size", [1e-300, 1e-30, 1e30, 1e300])
def test_no_curve_and_no_gate_overflows_where_its_value_is_finite(size):
    v, o = np.array([-1e3, -1.0, 0.0, 1.0, 1e3]), np.array([0.0, 0.5, 1.0])
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        for make in SURROGATES.values():
            h, H = make(size).derivative(v), make(size).antiderivative(v)
            assert np.isfinite(h).all()
            assert h.min() >= 0
            assert (np.diff([0, *H, 1]) >= 0).all()
        for gate in GATES:
            neuron = LIF(tau=size, gate=gate)
            assert np.isfinite([neuron.f(o), neuron.df(o)]).all()
            assert neuron.f(o)[0] == size


@pytest.mark.parametrize(
    "loss", [CrossEntropy(), CrossEntropy(counts=True), StepCrossEntropy()]
)
@given(seed=seeds, far=st.sampled_from([0.0, 1.0, 1e3]))
def test_a_cross_entropy_reads_differences_of_scores_alone(loss, seed, far):
    """Also where an exponential would overflow, and where probabilities sum to 1 but nearly."""
    rng = np.random.default_rng(seed)
    o, y = (
        rng.random((3, 2, 4)) * (1 + far),
        rng.dirichlet(np.ones(4), size=2) * (1 + 5e-6),
    )
    moved = o + far * np.arange(2.0)[:, None]  # each sample by as much as it likes
    one, two = (Trace([None, x], [x, x]) for x in (o, moved))
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        assert loss.value(two, y) == pytest.approx(loss.value(one, y), rel=1e-11)
        slopes = loss.direct(two, y).o
    np.testing.assert_allclose(slopes.sum(axis=-1), 0, atol=1e-14)


@each_curve
@given(a=st.sampled_from([0.25, 0.5, 2.0, 8.0]), v=st.floats(-6, 6), dtype=real_dtypes)
def test_a_twin_climbs_from_0_to_1_with_the_slope_h_whose_sides_are_alike(
    make, a, v, dtype
):
    curve, d = make(a), 1e-6
    assume(not np.isclose(v, curve.joints, atol=3 * d).any())
    x = np.array([v, *curve.joints, 1e18])
    h, H = curve.derivative(x), curve.antiderivative(x)
    np.testing.assert_allclose(h, curve.derivative(-x), rtol=1e-14)
    np.testing.assert_allclose(H + curve.antiderivative(-x), 1, rtol=1e-14)
    assert H[-1] == 1
    assert (h[H == 1] < 1e-12).all()  # a twin that has arrived no longer climbs
    ends = curve.antiderivative(v + np.array([d, -d]))
    np.testing.assert_allclose(h[0], (ends[0] - ends[1]) / (2 * d), atol=1e-6)
    for function, value in ((curve.derivative, h), (curve.antiderivative, H)):
        got = function(x.astype(dtype))
        assert got.dtype == dtype
        np.testing.assert_allclose(got[[0, -1]], value[[0, -1]], rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("gate", GATES)
@given(
    tau=st.floats(0.2, 3), v_th=st.floats(-2, 2), u=st.floats(-3, 3), dtype=real_dtypes
)
def test_gate_f_gate_df_gate_linear_gate_linear_df_are_slopes(
    gate, tau, v_th, u, dtype
):
    """Of what is carried, by the potential and by the spike."""
    neuron, d = LIF(tau=tau, v_th=v_th, gate=gate), 1e-6
    us, o = np.full(5, u), np.linspace(0, 1, 5)
    by_u = (neuron.carried(us + d, o) - neuron.carried(us - d, o)) / (2 * d)
    by_o = (neuron.carried(us, o + d) - neuron.carried(us, o - d)) / (2 * d)
    np.testing.assert_allclose(neuron.f(o), by_u, rtol=1e-6, atol=1e-8)
    reset = -v_th if gate == "soft" else us * neuron.df(o)
    np.testing.assert_allclose(reset, by_o, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(neuron.df(o) * (gate != "soft"), neuron.df(o))
    for function in (neuron.f, neuron.df, neuron.g, neuron.h, neuron.H):
        assert function(o.astype(dtype)).dtype == dtype


@given(v_th=st.floats(-2, 2), d=st.floats(1e-3, 2), gate=st.sampled_from(GATES))
def test_spike_g_and_its_stand_ins_turn_at_the_threshold(v_th, d, gate):
    neuron = LIF(v_th=v_th, surrogate=Gaussian(0.3), gate=gate)
    u = v_th + np.array([-d, 0.0, d])
    np.testing.assert_array_equal(neuron.g(u), [0, 1, 1])
    assert neuron.h(u).argmax() == 1
    np.testing.assert_allclose(neuron.h(u)[0], neuron.h(u)[2], rtol=1e-9)
    assert neuron.H(u)[1] == 0.5


@given(seeds, rules, st.integers(-30, 0), real_dtypes, st.sampled_from(GATES))
def test_what_is_small_is_kept_down_to_the_floor_of_float32(
    seed, rule, size, dtype, gate
):
    """Gradients scale with the direct term; in float32 no signal stays between 0 and 3e-18."""
    neuron = LIF(tau=0.6, v_th=0.4, surrogate=Gaussian(1.0), gate=gate)
    problem = make_problem(seed, [3, 3, 2], T=5, S=2, neuron=neuron, dtype=dtype)
    trace, scale = problem.trace, dtype(10.0**size)
    term = np.random.default_rng(seed).normal(size=trace.O[-1].shape).astype(dtype)
    rest = (trace, None, problem.params, neuron, rule)
    one, small = (fast_backward(*rest, loss=d) for d in (term, term * scale))
    floor, rounding = (1e-16, 1e-4) if dtype is np.float32 else (0, 1e-11)
    for a, b in zip(arrays(small), arrays(one), strict=True):
        largest = np.abs(b * scale).max()
        np.testing.assert_allclose(
            a, b * scale, rtol=0, atol=floor + rounding * largest
        )
        if floor and size < -19:
            assert not a.any()


@pytest.mark.parametrize("often", [0.1, 0.9])
def test_the_loops_over_spikes_give_matrix_products_however_they_are_shared(
    often, monkeypatch
):
    """Run here as Python, so that nothing is compiled."""
    T, S, n, m = 3, 4, 25, 2
    monkeypatch.setattr(loops, "NEAR", 2 * T * m)  # two samples at a time
    rng = np.random.default_rng(0)
    spikes = (rng.random((T, S, n)) < often) * 1.0
    rows, table, b = spikes.reshape(T * S, n), rng.random((n, m)), rng.random(m)
    starts, ends = np.zeros((2, T * S), int)
    noted = starts, ends, np.zeros(T * S * n, int)
    out, errors, sums = np.empty((T, S, m)), rng.random((T, S, m)), np.empty((n, m))
    parts = (0, 5), (5, T * S)
    for part in parts:
        loops.note_spikes(*part, rows, *noted)
    for part in parts:
        loops.currents(*part, *noted, table, b, out)
    for part in ((0, 9), (9, n)):
        loops.gradient(*part, *noted, errors, sums)
    np.testing.assert_allclose(out, spikes @ table + b)
    np.testing.assert_allclose(sums, np.einsum("tsi,tsj->ij", spikes, errors))
    numbers, total = rows[7] * rng.random(n), b.copy()
    loops.add_products(numbers, table, np.zeros(n, int), total)
    np.testing.assert_allclose(total, numbers @ table + b)
    rows[7, 3] = 0.5
    loops.note_spikes(5, T * S, rows, *noted)
    np.testing.assert_array_equal(ends < 0, np.arange(T * S) >= 7)


def test_the_loops_of_images_cut_windows_and_add_them_up_where_they_were():
    rng, patches = np.random.default_rng(0), np.zeros((2, 3, 2, 2, 4, 3))
    images, errors = rng.random((2, 3, 5, 4)), rng.random(patches.shape)
    loops.cut(images, patches)
    windows = np.lib.stride_tricks.sliding_window_view(images, (2, 2), (2, 3))
    np.testing.assert_array_equal(patches, np.moveaxis(windows, (4, 5), (2, 3)))
    back = np.zeros_like(images)
    loops.put_back(errors, back)
    assert np.vdot(back, images) == pytest.approx(np.vdot(errors, patches))


def test_adam_in_a_loop_and_on_arrays_has_the_same_bits():
    size, rng = (1e-3, 1e-8), np.random.default_rng(0)
    one = rng.random((4, 7))
    two = one.copy()
    loops.adam(*one, 0.9, 0.1, 0.99, 0.01, *size)
    adam_on_arrays(*two, 0.9, 0.1, 0.99, 0.01, *size)
    np.testing.assert_array_equal(one, two)
