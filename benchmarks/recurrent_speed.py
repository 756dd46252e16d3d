"""The time of a step of an adaptive recurrent network, beside PyTorch's autograd on the same one.

``python -m benchmarks.recurrent_speed`` prints the table; ``--write`` makes the record
``docs/results/speed-recurrent.json``. All candidates take turns, and are handed the same spikes.
"""

from typing import Any

import numpy as np

from benchmarks.engine_speed import TimedStep, measure, publish, row
from stbp_edu import LIF, Gaussian, arrows, derive
from stbp_edu.program.program import Program
from stbp_edu.training.measurements import measurements_folder

RECORD = measurements_folder() / "speed-recurrent.json"
COMMAND = "python -m benchmarks.recurrent_speed --write"
SIZES, T, S = "700-128R-20", 100, 64
RHO, BETA, KAPPA, RATE = 0.97, 0.2, 0.9, 0.02
NEURON = LIF(tau=0.9, v_th=1.0, surrogate=Gaussian(a=0.125))  # that of torch_common


def problem() -> tuple[arrows.Table, list[Any], np.ndarray, np.ndarray]:
    """Return network, parameters, spikes and targets, in float32."""
    hidden = arrows.with_adaptation(arrows.soft_reset(NEURON), BETA, RHO)
    read_out = derive("u = kappa * u + x", kappa=KAPPA).neuron
    net = arrows.network(SIZES, [hidden, read_out], arrows.membrane(None))
    rng = np.random.default_rng(0)
    drawn = arrows.draw_params(net, rng, scale=2.0)
    params = [None, *({k: np.float32(v) for k, v in p.items()} for p in drawn[1:])]
    spikes = (rng.random((T, S, 700)) < RATE).astype(np.float32)
    return net, params, spikes, np.eye(20, dtype=np.float32)[rng.integers(0, 20, S)]


def ours(rule: str, backend: str = "auto") -> TimedStep:
    """Return forward and backward by the derived program."""
    net, params, spikes, targets = problem()
    program = Program(net, rule, backend)

    def step() -> None:
        states = program.forward(params, spikes)
        read = net.loss.state
        direct = {read: net.loss.direct(states[-1][read], targets)}
        program.backward(params, states, direct)

    return step


def autograd() -> TimedStep:
    """Return the same network as a loop in PyTorch, which autograd differentiates."""
    import torch

    from benchmarks.frameworks import torch_common

    _, params, spikes, targets = problem()
    own = [
        {k: torch.tensor(v, requires_grad=True) for k, v in p.items()}
        for p in params[1:]
    ]
    flat = [p for layer in own for p in layer.values()]
    x, y = torch.from_numpy(spikes), torch.from_numpy(targets)
    first, last = own

    def run() -> list[Any]:
        currents = x @ first["W"].T + first["b"]
        u = o = a = currents.new_zeros(currents.shape[1:])
        v, total = 0.0, 0.0
        for current in currents:
            a = RHO * a + o
            u = NEURON.tau * u + current + o @ first["R"].T - NEURON.v_th * o
            o = torch_common.HeavisideSpike.apply(u - NEURON.v_th - BETA * a)
            v = KAPPA * v + o @ last["W"].T + last["b"]
            total = total + v
        loss = ((y - total / T) ** 2).sum() / (2 * S)
        return [g.numpy() for g in torch.autograd.grad(loss, flat)]

    return run


def measured(rounds: int) -> dict[str, Any]:
    """Return the record: a row for each candidate."""
    candidates = {f"stbp_edu, {rule}": ours(rule) for rule in ("exact", "e-prop")}
    candidates["stbp_edu, exact, NumPy alone"] = ours("exact", "numpy")
    candidates["PyTorch's autograd"] = autograd()
    times = measure(candidates, rounds, SIZES)
    limit = times["PyTorch's autograd"]
    rows = [row(name, times[name], limit) for name in candidates]
    what = f"Forward and backward of an adaptive recurrent network, {SIZES}, float32"
    return {"what": what, "command": COMMAND, "T": T, "S": S, "rows": rows}


if __name__ == "__main__":
    publish(__doc__, RECORD, 15, measured)
