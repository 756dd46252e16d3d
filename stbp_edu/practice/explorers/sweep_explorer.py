"""What the explorer of the backward sweep shows: every cell with its formula and its numbers."""

from dataclasses import dataclass
from typing import Any

from stbp_edu.cases import case_at
from stbp_edu.network import Adjoints
from stbp_edu.plotting.graph import subscript
from stbp_edu.practice.tasks import ForwardPass
from stbp_edu.rules import RULES

Json = dict[str, Any]


def sweep_data(net: ForwardPass) -> Json:
    """Return the cells of the first sample in the order of the sweep, for both rules.

    Steps are counted from 1, as on paper. A term is a list of factors (name, value), with the
    cell that it comes from.

    >>> from stbp_edu.practice.explorers.pencil_network import pencil
    >>> data = sweep_data(pencil())
    >>> [(c["t"], c["n"], c["case"]) for c in data["rules"]["exact"]][:3]
    [(3, 2, 1), (3, 1, 2), (2, 2, 3)]
    """
    T, S, N = net.shape
    return {
        "T": T,
        "S": S,
        "N": N,
        "sizes": list(net.params.sizes),
        "words": net.description,
        "rules": {rule: _SweepOfRule(net, rule, net.sweep(rule)).cells() for rule in RULES},
    }


@dataclass(frozen=True)
class _SweepOfRule:
    """The backward sweep of one rule, written out for the first sample."""

    net: ForwardPass
    rule: str
    adjoints: Adjoints

    def cells(self) -> list[Json]:
        """Return every cell, with the terms and the values of δ and ε of each of its neurons."""
        T, _, N = self.net.shape
        return [
            {
                "t": t + 1,
                "n": n,
                "case": case_at(t, n, T, N),
                "neurons": [
                    {
                        "delta": self.delta_terms(t, n, i),
                        "epsilon": self.epsilon_terms(t, n, i),
                        "i": i + 1,
                        "deltaValue": float(self.adjoints.delta[n][t, 0, i]),
                        "epsilonValue": float(self.adjoints.epsilon[n][t, 0, i]),
                    }
                    for i in range(self.net.params.sizes[n])
                ],
            }
            for t in reversed(range(T))
            for n in reversed(range(1, N + 1))
        ]

    def delta_terms(self, t: int, n: int, i: int) -> list[Json]:
        """Return the terms of δ: from the loss or the layer above, and from the next step."""
        trace, params = self.net.trace, self.net.params
        T, S, N = self.net.shape
        terms = []
        if n == N:
            miss = float(self.net.targets[0, i] - trace.O[N][:, 0, i].mean())
            terms.append(_term("loss", None, ["-1/(TS)", -1 / (T * S)], ["y-rate", miss]))
        for j in range(params.sizes[n + 1] if n < N else 0):
            weight = [f"w{subscript(j)}{subscript(i)}", float(params.W[n + 1][j, i])]
            terms.append(_term("above", (t + 1, n + 1), self.incoming(t, n + 1, j), weight))
        if t < T - 1:
            u = ["u", float(trace.U[n][t, 0, i])]
            df = ["f'", float(self.net.neuron.df(trace.O[n][t])[0, i])]
            terms.append(_term("next step", (t + 2, n), self.incoming(t + 1, n, i), u, df))
        return terms

    def epsilon_terms(self, t: int, n: int, i: int) -> list[Json]:
        """Return the terms of ε: from the neuron's own spike, and from the next potential."""
        delta = ["δ", float(self.adjoints.delta[n][t, 0, i])]
        terms = [_term("own spike", None, delta, ["h", self.h(t, n, i)])]
        if t < self.net.shape[0] - 1:
            later = float(self.adjoints.epsilon[n][t + 1, 0, i])
            f = ["f", float(self.net.neuron.f(self.net.trace.O[n][t])[0, i])]
            terms.append(_term("leak", (t + 2, n), [f"ε{subscript(i)}({t + 2},{n})", later], f))
        return terms

    def incoming(self, t: int, n: int, i: int) -> list[Any]:
        """Return name and value of the signal err that comes from a neuron."""
        at = f"{subscript(i)}({t + 1},{n})"
        if self.rule == "exact":
            return [f"ε{at}", float(self.adjoints.epsilon[n][t, 0, i])]
        return [f"δ·h{at}", float(self.adjoints.delta[n][t, 0, i]) * self.h(t, n, i)]

    def h(self, t: int, n: int, i: int) -> float:
        """Return h(u) of one neuron."""
        return float(self.net.neuron.h(self.net.trace.U[n][t])[0, i])


def _term(name: str, source: tuple[int, int] | None, *factors: list[Any]) -> Json:
    """Return one term of a sum."""
    return {"name": name, "from": source, "factors": list(factors)}
