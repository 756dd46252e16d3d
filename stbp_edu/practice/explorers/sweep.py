"""What the explorer of the backward sweep shows: every cell with its formula and its numbers."""

from __future__ import annotations

from typing import Any

from stbp_edu.cases import case_at, sweep
from stbp_edu.checks import Array
from stbp_edu.network import Params, Trace
from stbp_edu.neuron import LIF

RULES = ("exact", "classic")
Json = dict[str, Any]


def sweep_data(
    trace: Trace, targets: Array, params: Params, neuron: LIF, words: str = "", s: int = 0
) -> Json:
    """Return the cells of one sample in the order of the sweep, for both rules.

    Steps are counted from 1, as on paper. A term is a list of factors (name, value), with the
    cell that it comes from.

    >>> from stbp_edu.practice.explorers.pencil import pencil
    >>> e = pencil()
    >>> data = sweep_data(e.trace, e.targets, e.params, e.neuron)
    >>> [(c["t"], c["n"], c["case"]) for c in data["rules"]["exact"]][:3]
    [(3, 2, 1), (3, 1, 2), (2, 2, 3)]
    """
    T, S, _ = trace.O[0].shape
    return {
        "T": T,
        "S": S,
        "N": params.N,
        "sizes": list(params.sizes),
        "words": words,
        "rules": {rule: _cells(rule, trace, targets, params, neuron, s) for rule in RULES},
    }


def _cells(
    rule: str, trace: Trace, targets: Array, params: Params, neuron: LIF, s: int
) -> list[Json]:
    """Return one rule's cells."""
    T, S, _ = trace.O[0].shape
    N, W, adjoints = params.N, params.W, sweep(trace, targets, params, neuron, rule)

    def value(of: Any, t: int, n: int, i: int) -> float:
        return float(of[n][t, s, i])

    def incoming(t: int, n: int, i: int) -> list[Any]:
        """Return name and value of the signal that comes from a neuron."""
        at = f"{_low(i)}({t + 1},{n})"
        if rule == "exact":
            return [f"ε{at}", value(adjoints.epsilon, t, n, i)]
        h = float(neuron.h(trace.U[n][t])[s, i])
        return [f"δ·h{at}", value(adjoints.delta, t, n, i) * h]

    def neuron_at(t: int, n: int, i: int) -> Json:
        """Return both sums of one neuron."""
        u, o = trace.U[n][t], trace.O[n][t]
        f, df, h = (float(g(x)[s, i]) for g, x in ((neuron.f, o), (neuron.df, o), (neuron.h, u)))
        delta, epsilon = value(adjoints.delta, t, n, i), value(adjoints.epsilon, t, n, i)
        sums: Json = {"delta": [], "epsilon": [_term("own spike", None, ["δ", delta], ["h", h])]}
        if n == N:
            miss = float(targets[s, i] - trace.O[N][:, s, i].mean())
            sums["delta"].append(_term("loss", None, ["-1/(TS)", -1 / (T * S)], ["y-rate", miss]))
        for j in range(params.sizes[n + 1] if n < N else 0):
            weight = [f"w{_low(j)}{_low(i)}", float(W[n + 1][j, i])]
            sums["delta"].append(_term("above", (t + 1, n + 1), incoming(t, n + 1, j), weight))
        if t < T - 1:
            source = (t + 2, n)
            factors = (["u", float(u[s, i])], ["f'", df])
            sums["delta"].append(_term("next step", source, incoming(t + 1, n, i), *factors))
            later = [f"ε{_low(i)}({t + 2},{n})", value(adjoints.epsilon, t + 1, n, i)]
            sums["epsilon"].append(_term("leak", source, later, ["f", f]))
        return {**sums, "i": i + 1, "deltaValue": delta, "epsilonValue": epsilon}

    return [
        {
            "t": t + 1,
            "n": n,
            "case": case_at(t, n, T, N),
            "neurons": [neuron_at(t, n, i) for i in range(params.sizes[n])],
        }
        for t in reversed(range(T))
        for n in reversed(range(1, N + 1))
    ]


def _low(i: int) -> str:
    """Write a neuron's number, counted from 1, below the line."""
    return str(i + 1).translate(str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉"))


def _term(name: str, source: tuple[int, int] | None, *factors: list[Any]) -> Json:
    """Return one term of a sum."""
    return {"name": name, "from": source, "factors": list(factors)}
