"""What is found out about a mistake that has no name, the plainest idea first.

Where no single mistake explains an answer, it is taken apart into terms by setting inputs to 0:
with every input but δ at 0, what is left of δ + ε·u is δ.
"""

from collections.abc import Collection
from itertools import combinations
from typing import Any

import numpy as np

from stbp_edu.checks import Array
from stbp_edu.practice.grading.answer import Answer
from stbp_edu.practice.grading.calling import Difference, tried
from stbp_edu.practice.grading.epsilon_fit import NO_SUM, case_reports
from stbp_edu.practice.grading.places import places
from stbp_edu.practice.grading.search import Finding, single_mistake
from stbp_edu.practice.tasks import Exercise, Function

FEW_DIGITS = 5e-3
"""What is right to so many digits is rounded, or in float16."""
MOST_INPUTS = 9
MOST_TERMS = 4


def unnamed(exercise: Exercise, answer: Answer, function: Function) -> list[Finding]:
    """Return what can be said about an answer to an exercise."""
    if all(isinstance(o, Difference) and o.kind == "problem" for o in answer.outcomes):
        return []
    with np.errstate(all="ignore"):
        steps = wrong_cases(function) if exercise.id == "backward" else []
        clear = [f for f in steps if NO_SUM not in f.text]
        found = clear or single_mistake(answer) or steps
        if not found and not any(answer.misses(FEW_DIGITS)):
            text = "It is right to about 3 digits; float64 holds 16. Is a number rounded?"
            return [Finding("digits", "", text)]
        return found if found or answer.view else wrong_terms(answer)


def wrong_cases(function: Function) -> list[Finding]:
    """Return what is wrong with the cases of a backward pass that are wrong in themselves."""
    cases = [c for c in case_reports(function) if c.explanation]
    if cases and cases[-1].case == 5:
        cases = cases[-1:]  # then no ε can be found, and the other cases say nothing
    return [
        Finding("case", f"case {c.case}", f"Case {c.case}: {c.explanation}. First at {c.first}.")
        for c in cases
    ]


def wrong_terms(answer: Answer) -> list[Finding]:
    """Return which terms of an answer are missing, too many, or wrong."""
    terms = [
        ([answer.names[k] for k in sorted(chosen)], words)
        for chosen, (got, want) in _terms(answer).items()
        if (words := _words(got, want, answer.rtol))
    ]
    wrong = [(names, words) for names, words in terms if words != "is right"]
    telling = len(wrong) < len(terms) or any(words != "is wrong" for _, words in wrong)
    if not 0 < len(wrong) <= MOST_TERMS or len(terms) < 2 or not telling:
        return []
    said = [f"{'·'.join(n) or 'a constant'} {w}" for n, w in terms if n or w != "is right"]
    text = f"Term by term, with the other inputs set to 0: {'; '.join(said)}."
    return [
        Finding("term", "·".join(names), "" if k else text) for k, (names, _) in enumerate(wrong)
    ]


def _terms(answer: Answer) -> dict[frozenset[int], Any]:
    """Return what each set of inputs brings beyond its smaller sets, in both functions.

    Empty where a function fails with an input at 0.
    """
    k = answer.order[0]
    solution, one = places(answer.source)[0].changed(lambda value: value), answer.situations[k]
    rng = np.random.default_rng(15)
    moved = [rng.uniform(0.8, 1.0, np.shape(a)) * a if _is_real(a) else a for a in one.args]

    def values(zeros: Collection[int]) -> Array | None:
        """Return the results of both functions, a row each, where some inputs are 0."""
        given = [a * 0.0 if j in zeros else a for j, a in enumerate(moved)]
        both = answer.ask(given, one.right), tried(solution, given, one.right)
        rows = [row for o in both if (row := answer.vector(o, k)) is not None]
        return np.stack(rows) if sum(np.isfinite(row).all() for row in rows) == 2 else None

    usable = [j for j, a in enumerate(moved) if _is_real(a) and values([j]) is not None]
    table: dict[frozenset[int], Any] = {}
    sizes = range(len(usable) + 1) if len(usable) <= MOST_INPUTS else ()
    for chosen in (frozenset(c) for size in sizes for c in combinations(usable, size)):
        if (pair := values({*usable} - chosen)) is None:
            return {}
        table[chosen] = pair - sum(brought for fewer, brought in table.items() if fewer < chosen)
    return table


def _is_real(value: object) -> bool:
    """Return whether an argument is a float, or an array of floats."""
    return isinstance(value, (float, np.ndarray)) and np.asarray(value).dtype.kind == "f"


def _words(got: Array, want: Array, rtol: float) -> str:
    """Return what is wrong with a term, "is right", or "" where neither function has it."""
    limit = 10 * rtol * max(1e-3, np.abs(want).max(initial=0.0))
    has, belongs = (np.abs(term).max(initial=0.0) > limit for term in (got, want))
    if not belongs:
        return "has no place here" if has else ""
    if not has:
        return "is missing"
    factor = float(got @ want / (want @ want))
    if np.abs(got - factor * want).max() > limit:
        return "is wrong"
    return "is right" if abs(factor - 1) < 10 * rtol else f"is {factor:.4g} times what it should be"
