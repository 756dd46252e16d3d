"""Wrong programs that were written before their writer looked at what ``verify`` checks.

Each is the package with one passage of one file replaced: a slip that a person makes. None of
them was chosen because verify sees it.
"""

from typing import NamedTuple


class Wrong(NamedTuple):
    """A slip: what is wrong, where, what stood there, and what stands there now."""

    slip: str
    module: str
    old: str
    new: str


SLIPS = (
    Wrong("h1 on a window twice as wide", "surrogates", "< self.a / 2) * xp", "< self.a) * xp"),
    Wrong("h2 twice as steep", "surrogates", "- self.a / 4 * xp.abs", "- self.a / 2 * xp.abs"),
    Wrong("h3 squares e, not 1 + e", "surrogates", "(1 + e) ** 2", "(1 + e**2)"),
    Wrong("h4 without its 2", "surrogates", "sqrt(2 * math.pi * self.a)", "sqrt(math.pi * self.a)"),
    Wrong("H4 takes a for 2a", "surrogates", "v / math.sqrt(2 * self.a)", "v / math.sqrt(self.a)"),
    Wrong("the gate decays with 1, not τ", "neuron",
          "return self.tau * np.exp(o * (-1 / self.tau))", "return self.tau * np.exp(-o)"),
    Wrong("f' divides by τ once more", "neuron",
          "return -np.exp(o * (-1 / self.tau))", "return -np.exp(o * (-1 / self.tau)) / self.tau"),
    Wrong("f' of the linear gate is -1", "neuron",
          "np.full_like(o, -self.tau)", "np.full_like(o, -1.0)"),
    Wrong("the engine's adjoints go forward in time", "engine.array_steps",
          "range(steps - 1, -1, -1)", "range(steps)"),
    Wrong("no spike at the threshold itself", "neuron",
          "(u >= self.v_th).astype", "(u > self.v_th).astype"),
    Wrong("h around 0, not around the threshold", "neuron",
          "self.surrogate.derivative(u - self.v_th)", "self.surrogate.derivative(u)"),
    Wrong("the rate loss's slope forgets the samples", "losses.formulas",
          "(self.scores(trace) - targets) / (k * S)", "(self.scores(trace) - targets) / k"),
    Wrong("the last steps' slope goes to the first ones", "losses.formulas",
          "slopes[-k:] =", "slopes[:k] ="),
    Wrong("the softmax's slope is of the wrong sign", "losses.formulas",
          "keepdims=True) - targets", "keepdims=True) + targets"),
    Wrong("the sweep's gate is one step late", "cases.backward_sweep",
          "delta[n][t] = vector.c4_delta(above, W[n + 1], err(t + 1, n), u, df(o))",
          "o = O[n][t + 1]; "
          "delta[n][t] = vector.c4_delta(above, W[n + 1], err(t + 1, n), u, df(o))"),
    Wrong("the sweep's classic rule hands on h of the step before", "cases.backward_sweep",
          "delta[n][t] * neuron.h(U[n][t])", "delta[n][t] * neuron.h(U[n][t - 1])"),
    Wrong("c5-w pairs a step's error with the spikes of the step before", "cases.vector",
          "epsilon.swapaxes(1, 2) @ O_below", "epsilon[1:].swapaxes(1, 2) @ O_below[:-1]"),
    Wrong("case 4 with indices forgets u", "cases.scalar",
          "above + err_next * u * df", "above + err_next * df"),
    Wrong("the engine forgets a factor inside the step", "engine.array_source",
          "_product(text, one)", "one"),
    Wrong("the engine's classic rule hands on ε", "engine.passes",
          "transpose(errors[above], out)", "transpose(errors['d_u'], out)"),
    Wrong("the engine forgets the factor from step to step", "engine.array_steps",
          "multiply(later[of], factor[t], room)", "later[of]"),
    Wrong("the forward pass resets by the spike to come", "network",
          "neuron.carried(U[n][t - 1], O[n][t - 1])", "neuron.carried(U[n][t - 1], O[n][t])"),
    Wrong("the engine's forward pass adds the bias at the first step alone", "engine.array_steps",
          "x += b\n", "x += b if t == 0 else 0\n"),
    Wrong("detached reset that forgets the reset altogether", "rules",
          '"detached-reset": lambda f, tau: f', '"detached-reset": lambda f, tau: tau'),
)  # fmt: skip
