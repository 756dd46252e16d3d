"""The report of the oracles: which trials there are, and the verdict on each equation."""

from collections.abc import Iterator
from functools import partial
from itertools import groupby
from typing import NamedTuple

import numpy as np

from stbp_edu._support import checks
from stbp_edu.cases import ABLATIONS
from stbp_edu.verify import polynomials
from stbp_edu.verify.comparison import Outcome
from stbp_edu.verify.trials import (
    NEURONS,
    OTHER_SHAPE,
    SAMPLES,
    SHAPES,
    by_formulas,
    by_losses,
    by_numbers,
    draw,
    judged,
)

SYMBOLIC = ((2, 2, 2), 3)  # sizes and T of the proof by polynomials
MOST_ROUNDS = 1000  # a day's work
SHOWN = 10  # failures below the table
TITLES = f"{'equation':<16} {'rule':<14} {'oracle':<34} {'error':>7}   allowed  compared  verdict"


class OracleVerdict(NamedTuple):
    """The verdict on one equation under one rule by one oracle, over all comparisons."""

    id: str
    rule: str
    oracle: str
    outcomes: list[Outcome]

    @property
    def gap(self) -> bool:
        """Whether a difference is expected."""
        return self.outcomes[0].tolerance.gap

    @property
    def failed(self) -> int:
        """How many comparisons failed."""
        return sum(not outcome.ok for outcome in self.outcomes)

    @property
    def error(self) -> float:
        """The largest error; where a difference is expected, the smallest. NaN if any is NaN."""
        errors = [outcome.error for outcome in self.outcomes]
        least = np.min if self.gap else np.max
        return float(least(errors))

    def __str__(self) -> str:
        """Return the row of the table."""
        limit = self.outcomes[0].tolerance.limit
        compared = len(self.outcomes)
        sign, verdict = (">", "differs, as derived") if self.gap else ("<=", "equal")
        if self.failed:
            verdict = f"FAILED {self.failed} of {compared}"
        return (
            f"{self.id:<16} {self.rule:<14} {self.oracle:<33} {self.error:>8.1e} "
            f"{sign:>2} {limit:<6.0e} {compared:>9}  {verdict}"
        )


class Report(NamedTuple):
    """The outcomes of all comparisons, and the verdicts on them."""

    outcomes: list[Outcome]

    @property
    def verdicts(self) -> list[OracleVerdict]:
        """One verdict for each equation, rule and oracle: by rule, then by id, as they came."""
        rules = [*dict.fromkeys(outcome.rule for outcome in self.outcomes)]
        ids = [*dict.fromkeys(outcome.id for outcome in self.outcomes)]

        def place(outcome: Outcome) -> tuple[int, int, str]:
            """Return the key by which verdicts are sorted."""
            exact = outcome.id.removesuffix("-classic")
            return rules.index(outcome.rule), ids.index(exact), outcome.oracle

        ordered = sorted(self.outcomes, key=place)
        groups = groupby(ordered, lambda o: (o.id, o.rule, o.oracle))
        return [OracleVerdict(*key, list(outcomes)) for key, outcomes in groups]

    @property
    def failures(self) -> list[str]:
        """A message for each comparison that failed."""
        return [outcome.message for outcome in self.outcomes if not outcome.ok]

    @property
    def ok(self) -> bool:
        """Whether every comparison passed."""
        return not self.failures

    def format(self) -> str:
        """Return the verdicts as a table of plain text, with the first failures below it."""
        verdicts = self.verdicts
        passed = sum(not verdict.failed for verdict in verdicts)
        pass_ = f"{passed} of {len(verdicts)} verdicts pass."
        lines = [TITLES, *map(str, verdicts), pass_, *self.failures[:SHOWN]]
        more = len(self.failures) - SHOWN
        if more > 0:
            lines.append(f"and {more} more failures")
        return "\n".join(lines)


def run(seed: int = 0, rounds: int = 3) -> Report:
    """Return the verdicts of all oracles on the scalar and vector forms, under both rules.

    Args:
        seed: decides the random networks; >= 0.
        rounds: how many networks for each surrogate and gate, 1 to 1000. Five see every shape.

    Raises:
        ImportError: if autograd or SymPy is not installed.
        TypeError, ValueError: if ``seed`` or ``rounds`` is not a suitable integer.

    >>> run(rounds=1).ok
    True
    """
    return Report([*trials(seed, rounds)])


def trials(seed: int = 0, rounds: int = 3) -> Iterator[Outcome]:
    """Yield the outcomes of :func:`run`, one comparison after the other.

    The other losses and the ablations meet one gate a round: of them, a gate decides little.
    """
    rng = np.random.default_rng(checks.count("seed", seed, at_least=0))
    rounds = checks.count("rounds", rounds, at_most=MOST_ROUNDS)
    yield from by_formulas()
    for rule in polynomials.ORACLES:
        yield from polynomials.prove(*SYMBOLIC, rule)
    for k in range(rounds):
        other = NEURONS[(-1 - k) % len(NEURONS)]
        same = partial(np.random.default_rng, [seed, k])
        yield from by_losses(draw(same(), *OTHER_SHAPE, other, SAMPLES))
        yield from judged(draw(same(), *SHAPES[0], other), False, ABLATIONS)
        for which, neuron in enumerate(NEURONS):
            sizes, T = SHAPES[(which + k) % len(SHAPES)]
            yield from by_numbers(draw(rng, sizes, T, neuron))
