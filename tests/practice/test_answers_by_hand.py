"""Answers written by hand: wrong ones whose place is known, and right ones in other forms."""

import numpy as np
import pytest

from stbp_edu.practice import check, check_formula, exercises

pytestmark = pytest.mark.slow  # each wrong answer is asked about many inputs

# exercise, wrong body, and what must be said of it: any one of the alternatives
WRONG = [
    ("c3-delta", "delta_last + err_next * U * df * 0.37", ["`df` is 0.37 times"]),
    ("c3-delta", "3 * delta_last + err_next * U * df", ["`delta_last` is 3 times"]),
    ("c3-delta", "delta_last + err_next * U * np.tanh(df)", ["place of `df`"]),
    ("c3-delta", "delta_last * err_next + err_next * U * df",
     ["`delta_last`", "factor `err_next` too many"]),
    ("c3-delta", "delta_last + err_next * U * df.mean()", ["`df` is averaged"]),
    ("c3-delta", "delta_last[::-1] + err_next * U * df", ["`delta_last` is turned round"]),
    ("c3-delta", "0.5 * delta_last - 2 * err_next * U * df",
     ["`delta_last` alone is 0.5 times what it should be. What comes from `err_next`, `U` and `df` "
      "together is -2 times"]),
    ("c3-epsilon", "delta * h * h + 0.1 * epsilon_next * f",
     ["`epsilon_next` and `f` together is 0.1 times"]),
    ("c3-epsilon", "delta * np.sqrt(h) + epsilon_next * f", ["`h`"]),
    ("c3-epsilon", "delta * h + epsilon_next * f.sum(axis=1, keepdims=True)", ["`f` is added up"]),
    ("c4-delta", "err_above @ W_above * 2 + err_next * U * df", ["`W_above` is doubled"]),
    ("c4-delta", "err_above @ W_above + err_next * U**3 * df", ["`U` is cubed"]),
    ("c4-delta", "err_above @ W_above**2 + err_next * U * df", ["`err_above` and `W_above`",
                                                                  "`W_above` too many"]),
    ("c4-epsilon", "delta * h + epsilon_next * f + 0.01", ["no input at all", "larger by 0.01"]),
    ("c4-epsilon", "delta * h + np.roll(epsilon_next, 1, axis=0) * f",
     ["`epsilon_next` is moved by one place"]),
    ("c2-delta", "(err_above @ W_above) ** 3", ["result is cubed"]),
    ("c2-delta", "np.abs(err_above) @ W_above", ["`err_above` is taken without its sign"]),
    ("c2-epsilon", "delta * (1 - h)", ["`h` is taken from 1"]),
    ("c1-epsilon", "delta * h + delta", ["`h` is larger by 1"]),
    ("c1-delta", "-(2 * Y - O.mean(axis=0)) / (O.shape[0] * O.shape[1])", ["`Y` is doubled"]),
    ("c5-b", "epsilon.sum(axis=(0, 1)) / 3", ["1/3 times"]),
    ("c5-w", "np.einsum('tsi,tsj->ij', epsilon, O_below) ** 2", ["result is squared"]),
    ("c5-w", "np.einsum('tsi,tsj->ij', np.abs(epsilon), O_below)", ["`epsilon` is taken without"]),
    ("gain", "O_gate + 4 * U * dO_gate * h", ["`h` is 4 times"]),
    ("gain", "O_gate**2 + U * dO_gate * h", ["`O_gate` too many", "`O_gate` is squared"]),
    ("gain", "O_gate + U * dO_gate + h",
     ["`U`, `dO_gate` and `h`", "`+` in place of `*` before `h`"]),
    ("dropped-share", "epsilon - delta * h / 7", ["`h` is 1/7 times"]),
    ("ode-euler", "u + 3 * dt * (current - u) / tau", ["is 3 times"]),
    ("ode-euler", "u + dt * (current - u**2) / tau", ["factor `u` too many"]),
    ("ode-exact", "current + (u - current) * np.exp(-dt / tau / 5)", ["is 0.2 times"]),
    ("fwd-u", "U * tau * np.exp(-O / tau) + 0.3 * X + b", ["`X` is 0.3 times"]),
    ("fwd-u", "U * tau * np.exp(-O / tau) + X + np.abs(b)", ["`b` is taken without its sign"]),
    ("fwd-x", "3.3 * O_below @ W.T", ["is 3.3 times"]),
    ("gate-f", "tau * np.exp(-o / tau) ** 3", ["is 3 times", "is cubed"]),
    ("h4", "np.exp(-v**2 / (2 * a)) / np.sqrt(5 * np.pi * a)", ["times the right one"]),
    ("two-paths", "direct + outer * inner + 0.7 * direct * outer", ["`direct` and `outer` together",
                                                                    "`inner`"]),
    ("loss", "((Y - O.mean(axis=0)) ** 2).sum() / (2 * len(Y)) + 1", ["larger by 1"]),
    ("momentum", "return p - lr * (mu * m + g), 0.5 * m * mu + g", ["the momentum m: One part"]),
    ("relative-error", "np.linalg.norm(ours + 2 * exact) / np.linalg.norm(exact)",
     ["`exact` is 2", "`ours`", "`exact`"]),
    ("mean-spread", "return values.mean() + 0.1, values.std(ddof=1)", ["larger by 0.1"]),
    ("c2-delta-scalar", "2.5 * sum(e * w for e, w in zip(err_above, w_to))", ["2.5 times"]),
    ("c4-delta-scalar",
     "sum(e * w for e, w in zip(err_above, w_to)) + err_next * u * abs(df)", ["`df`"]),
]  # fmt: skip

RIGHT = {
    "c1-delta": ["np.add.reduce(O, axis=0) / len(O) / len(O) / len(Y) - Y / (len(O) * len(Y))",
                 "(sum(O) / len(O) - Y) / np.prod(O.shape[:2])"],
    "c1-epsilon": ["np.einsum('sn,sn->sn', delta, h)", "np.exp(np.log(h)) * delta",
                   "[[d * k for d, k in zip(p, q)] for p, q in zip(delta, h)]"],
    "c2-delta": ["(W_above.T @ err_above.T).T", "np.einsum('sj,ji->si', err_above, W_above)",
                 "np.stack([e @ W_above for e in err_above])",
                 "(err_above[:, :, None] * W_above).sum(axis=1)"],
    "c3-delta": ["df * (U * err_next) + delta_last", "delta_last - (-err_next) * U * df",
                 "np.sum([delta_last, err_next * U * df], axis=0)",
                 "2 * delta_last - delta_last + U * err_next * df"],
    "c3-epsilon": ["h * delta + f * epsilon_next",
                   "np.add(delta * h, np.multiply(f, epsilon_next))",
                   "(delta * h / f + epsilon_next) * f"],
    "c4-delta": ["err_next * (df * U) + np.dot(err_above, W_above)",
                 "U * df * err_next + (W_above.T @ err_above.T).T"],
    "c4-epsilon": ["f * (epsilon_next + delta * h / f)", "-(-delta * h - epsilon_next * f)"],
    "c5-b": ["epsilon.reshape(-1, epsilon.shape[-1]).sum(axis=0)", "sum(sum(epsilon))",
             "np.einsum('tsi->i', epsilon)"],
    "c5-w": ["sum(e.T @ o for e, o in zip(epsilon, O_below))",
             "np.tensordot(epsilon, O_below, axes=((0, 1), (0, 1)))"],
    "fwd-x": ["(W @ O_below.T).T", "np.inner(O_below, W)"],
    "fwd-u": ["b + X + tau * U / np.exp(O / tau)", "X + (b + np.exp(-O / tau) * tau * U)"],
    "gain": ["U * (h * dO_gate) + O_gate"],
    "gate-f": ["tau / np.exp(o / tau)", "np.exp(np.log(tau) - o / tau)"],
    "h1": ["np.where(np.abs(v) < a / 2, 1 / a, 0)", "(1 + np.sign(a / 2 - np.abs(v))) / 2 / a"],
    "h4": ["np.exp(-(v / np.sqrt(2 * a)) ** 2) / np.sqrt(2 * a) / np.sqrt(np.pi)"],
    "loss": ["np.square(O.mean(0) - Y).sum(1).mean() / 2"],
    "ode-euler": ["(1 - dt / tau) * u + dt / tau * current"],
    "ode-exact": ["u * np.exp(-dt / tau) - current * np.expm1(-dt / tau)"],
    "two-paths": ["outer * inner + direct", "sum([direct, inner * outer])"],
    "spike-g": ["np.where(u < v_th, 0.0, 1.0)", "np.heaviside(u - v_th, 1)"],
    "read-out": ["np.array([np.argmax(o) for o in O.sum(0)])"],
    "flops": ["sum(T * S * a * b * 2 for a, b in zip(sizes[:-1], sizes[1:]))"],
    "mean-spread": ["return np.mean(values), np.sqrt(np.var(values, ddof=1))"],
    "cosine": ["np.vdot(ours / np.linalg.norm(ours), exact / np.linalg.norm(exact))"],
}  # fmt: skip
FLOAT32 = [id_ for id_ in exercises() if id_ not in ("bernoulli", "confusion")]
FORMULAS = [
    ("c3-delta", "0.5*delta_T + eps_next*u*df", "`delta_T` is 0.5 times"),
    ("c3-delta", "delta_T + 7*eps_next*u*df", "`df` is 7 times"),
    ("c3-delta", "delta_T**3 + eps_next*u*df", "`delta_T` is cubed"),
    ("c3-delta", "delta_T + eps_next*u*df + 0.2", "larger by 0.2"),
    ("c4-delta", "eps_1*w_1 + 3*eps_2*w_2 + eps_next*u*df", "`w_2` is 3 times"),
    ("c4-delta", "eps_1*w_1 + 2*eps_2*w_2 - 5*eps_next*u*df", "`df` together is -5 times"),
    ("c4-epsilon", "delta*h + 0.25*eps_next*f", "`f` is 0.25 times"),
    ("gain", "f + 2*u*df*h", "`h` is doubled"),
    ("c5-w", "eps_1*o_1 + eps_2*o_2*4 + eps_3*o_3", "`o_2` is 4 times"),
    ("ode-euler", "u + 2*dt/tau*(I - 3*u)", "`u`"),
]


def short(value):
    """Return a value with its floats as float32."""
    if isinstance(value, np.ndarray) and value.dtype == float:
        return value.astype(np.float32)
    if isinstance(value, (list, tuple)):
        return type(value)(map(short, value))
    return value


@pytest.mark.parametrize(("id_", "body", "said"), WRONG, ids=[f"{w[0]}: {w[1]}" for w in WRONG])
def test_what_is_wrong_is_located(id_, body, said):
    feedback = check(id_, exercises()[id_].function(body))
    assert feedback.state == "wrong"
    assert feedback.mistakes or any(words in repr(feedback) for words in said), feedback


@pytest.mark.parametrize(("id_", "form"), [(id_, f) for id_, fs in RIGHT.items() for f in fs])
def test_other_right_forms_are_right(id_, form):
    feedback = check(id_, exercises()[id_].function(form))
    assert feedback.right, feedback


@pytest.mark.parametrize("id_", FLOAT32)
def test_float32_throughout_is_right(id_):
    right = exercises()[id_].function()
    feedback = check(id_, lambda *args: short(right(*map(short, args))))
    assert feedback.right, feedback


@pytest.mark.parametrize(("equation", "formula", "words"), FORMULAS)
def test_what_is_wrong_in_a_formula_is_located(equation, formula, words):
    feedback = check_formula(equation, formula)
    assert feedback.state == "wrong"
    assert words in repr(feedback), feedback


def test_there_are_as_many_as_promised():
    assert len(WRONG) >= 40
    assert sum(map(len, RIGHT.values())) + len(FLOAT32) >= 60
