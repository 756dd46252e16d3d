"""Verify the package: every form of every equation against every oracle.

Two questions are asked. Under the exact rule: is this the gradient? Under the classic rule: is it
the gradient exactly where it is said to be, does it differ everywhere else, and is the difference
exactly the sum of the paths that it drops?
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from stbp_edu import checks
from stbp_edu.verify import trials
from stbp_edu.verify.comparison import IDS
from stbp_edu.verify.trials import Outcome

Progress = Callable[[int, int, str], None]
"""Called as progress(done, total, what)."""

SYMBOLIC = ((2, 2, 2), 3)  # sizes and T of the proof by polynomials


@dataclass(frozen=True)
class Verdict:
    """The verdict on one equation under one rule by one oracle, over all comparisons.

    Attributes:
        id: the equation.
        rule: "exact" or "classic".
        oracle: the oracle, and what it was asked.
        outcomes: one for each array or polynomial that was compared.
    """

    id: str
    rule: str
    oracle: str
    outcomes: list[Outcome] = field(default_factory=list)

    @property
    def failed(self) -> int:
        """How many comparisons failed."""
        return sum(not outcome.ok for outcome in self.outcomes)

    @property
    def gap(self) -> bool:
        """Whether a difference is expected."""
        return self.outcomes[0].gap

    @property
    def error(self) -> float:
        """The largest error; where a difference is expected, the smallest. NaN if any is NaN."""
        worst = np.min if self.gap else np.max
        return float(worst([outcome.error for outcome in self.outcomes]))

    def __str__(self) -> str:
        """Return the row of the table."""
        sign, good = (">", "differs, as derived") if self.gap else ("<=", "equal")
        compared = len(self.outcomes)
        verdict = f"FAILED {self.failed} of {compared}" if self.failed else good
        return (
            f"{self.id:<11} {self.rule:<8} {self.oracle:<33} {self.error:>8.1e} "
            f"{sign:>2} {self.outcomes[0].limit:<6.0e} {compared:>9}  {verdict}"
        )


class Report:
    """All verdicts, from the outcomes of all comparisons."""

    def __init__(self) -> None:
        """Begin without an outcome."""
        self.failures: list[str] = []
        self._verdicts: dict[tuple[str, str, str], Verdict] = {}

    @property
    def verdicts(self) -> list[Verdict]:
        """One verdict for each equation, rule and oracle: the exact rule first, then by id."""
        order = {id: k for k, id in enumerate(IDS)}
        return sorted(
            self._verdicts.values(), key=lambda v: (v.rule != "exact", order[v.id], v.oracle)
        )

    @property
    def ok(self) -> bool:
        """Whether every comparison passed and both rules of every equation were compared."""
        compared = {(id, rule) for id, rule, _ in self._verdicts}
        wanted = {(id, rule) for id in IDS for rule in ("exact", "classic")}
        return wanted <= compared and not self.failures

    def add(self, outcome: Outcome) -> None:
        """Count one comparison in."""
        key = (outcome.id, outcome.rule, outcome.oracle)
        self._verdicts.setdefault(key, Verdict(*key)).outcomes.append(outcome)
        if not outcome.ok:
            self.failures.append(outcome.message)

    def format(self, failures: int = 10) -> str:
        """Return the verdicts as a table of plain text, with the first failures below it."""
        lines = [
            f"{'equation':<11} {'rule':<8} {'oracle':<33} {'error':>8} {'allowed':>9} "
            f"{'compared':>9}  verdict"
        ]
        lines += [str(verdict) for verdict in self.verdicts]
        passed = sum(not verdict.failed for verdict in self.verdicts)
        lines.append(f"{passed} of {len(self.verdicts)} verdicts pass.")
        more = len(self.failures) - failures
        lines += self.failures[:failures]
        return "\n".join([*lines, f"and {more} more failures"] if more > 0 else lines)


def run(seed: int = 0, rounds: int = 3, progress: Progress | None = None) -> Report:
    """Return the verdicts of all oracles on the scalar, vector and engine forms, under both rules.

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
    for done, (what, outcomes) in enumerate(work, start=1):
        for outcome in outcomes:
            report.add(outcome)
        if progress is not None:
            progress(done, many, what)
    return report


def _work(rng: np.random.Generator, rounds: int) -> Iterator[tuple[str, Iterator[Outcome]]]:
    """Yield each piece of work with its name: one proof by symbols, then the networks."""
    yield "polynomials", trials.by_symbols(*SYMBOLIC)
    for k in range(rounds):
        for which, neuron in enumerate(trials.NEURONS):
            sizes, T = trials.SHAPES[(which + k) % len(trials.SHAPES)]
            name = f"{type(neuron.surrogate).__name__}, {neuron.gate} gate, {sizes}, T = {T}"
            yield name, trials.by_numbers(trials.draw(rng, sizes, T, neuron))
