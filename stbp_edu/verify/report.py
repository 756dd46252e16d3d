"""Put the package on trial: every form of every equation against every oracle.

Two questions are asked. Under the exact rule: is this the gradient? Under the classic rule: is it
the gradient exactly where it is said to be, does it miss everywhere else, and is what it misses
exactly the sum of the paths that it drops?
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from stbp_edu import checks
from stbp_edu.verify import trials
from stbp_edu.verify.compare import IDS
from stbp_edu.verify.trials import Finding

Progress = Callable[[int, int, str], None]
"""Called as progress(done, total, what)."""

SYMBOLIC = ((2, 2, 2), 3)  # sizes and T of the proof by polynomials


@dataclass
class Row:
    """The verdict on one equation under one rule by one oracle.

    Attributes:
        id: the equation.
        rule: "exact" or "classic".
        oracle: who judged, and what was asked.
        limit: what the error is held against.
        gap: whether a difference was to be found, rather than none.
        error: the largest error found; for a gap, the smallest.
        compared: how many arrays or polynomials were compared.
        failed: how many of them failed.
    """

    id: str
    rule: str
    oracle: str
    limit: float
    gap: bool
    error: float
    compared: int = 0
    failed: int = 0

    @property
    def ok(self) -> bool:
        """Whether every comparison passed."""
        return self.failed == 0

    def __str__(self) -> str:
        """Return the row of the table."""
        sign, good = (">", "differs, as derived") if self.gap else ("<=", "equal")
        verdict = good if self.ok else f"FAILED {self.failed} of {self.compared}"
        return (
            f"{self.id:<11} {self.rule:<8} {self.oracle:<33} {self.error:>8.1e} "
            f"{sign:>2} {self.limit:<6.0e} {self.compared:>9}  {verdict}"
        )


@dataclass
class Report:
    """All verdicts.

    Attributes:
        rows: one for each equation, rule and oracle.
        failures: one sentence for each comparison that failed: where, got, expected.
    """

    rows: list[Row] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether every verdict is a pass and no equation went unjudged under either rule."""
        judged = {(row.id, row.rule) for row in self.rows}
        wanted = {(id, rule) for id in IDS for rule in ("exact", "classic")}
        return wanted <= judged and all(row.ok for row in self.rows)

    def add(self, found: Finding) -> None:
        """Count one comparison in."""
        key = (found.id, found.rule, found.oracle)
        row = next((r for r in self.rows if (r.id, r.rule, r.oracle) == key), None)
        if row is None:
            row = Row(*key, found.limit, found.gap, found.error)
            self.rows.append(row)
        # NumPy's minimum and maximum keep a NaN, Python's may lose it.
        worse = np.minimum if found.gap else np.maximum
        row.error = float(worse(row.error, found.error))
        row.compared += 1
        if not found.ok:
            row.failed += 1
            self.failures.append(found.words)

    def format(self, failures: int = 10) -> str:
        """Return the verdicts as a table of plain text, with the first failures below it."""
        lines = [
            f"{'equation':<11} {'rule':<8} {'oracle':<33} {'error':>8} {'allowed':>9} "
            f"{'compared':>9}  verdict"
        ]
        order = {id: k for k, id in enumerate(IDS)}
        rows = sorted(self.rows, key=lambda r: (r.rule != "exact", order[r.id], r.oracle))
        lines += [str(row) for row in rows]
        lines.append(f"{sum(row.ok for row in self.rows)} of {len(self.rows)} verdicts pass.")
        more = len(self.failures) - failures
        lines += self.failures[:failures]
        return "\n".join([*lines, f"and {more} more failures"] if more > 0 else lines)


def run(seed: int = 0, rounds: int = 3, progress: Progress | None = None) -> Report:
    """Judge the scalar, vector and engine forms under both rules by all oracles.

    Args:
        seed: decides the random networks; >= 0.
        rounds: how many networks for each surrogate and gate; >= 1. Five see every shape.
        progress: called as progress(done, total, what) after each network.

    Raises:
        ImportError: if autograd or SymPy is not installed.
        TypeError, ValueError: if ``seed`` or ``rounds`` is no suitable integer.

    >>> run(rounds=1).ok
    True
    """
    rng = np.random.default_rng(checks.count("seed", seed, at_least=0))
    rounds = checks.count("rounds", rounds)
    report = Report()
    work = _work(rng, rounds)
    many = 1 + rounds * len(trials.NEURONS)
    for done, (what, findings) in enumerate(work, start=1):
        for found in findings:
            report.add(found)
        if progress is not None:
            progress(done, many, what)
    return report


def _work(rng: np.random.Generator, rounds: int) -> Iterator[tuple[str, Iterator[Finding]]]:
    """Yield each piece of work with its name: one proof by symbols, then the networks."""
    yield "polynomials", trials.by_symbols(*SYMBOLIC)
    for k in range(rounds):
        for which, neuron in enumerate(trials.NEURONS):
            sizes, T = trials.SHAPES[(which + k) % len(trials.SHAPES)]
            name = f"{type(neuron.surrogate).__name__}, {neuron.gate} gate, {sizes}, T = {T}"
            yield name, trials.by_numbers(trials.draw(rng, sizes, T, neuron))
