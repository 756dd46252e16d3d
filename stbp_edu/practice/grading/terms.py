"""What is said of a wrong answer that no single mistake explains: which of its terms are wrong.

It is taken apart into terms by setting inputs to 0: with all but δ at 0, what is left of δ + ε·u
is δ.
"""

import contextlib
import io
from collections.abc import Collection, Iterator, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from stbp_edu._support.checks import Array
from stbp_edu.practice.grading.answer import Answer, largest
from stbp_edu.practice.grading.calling import tried
from stbp_edu.practice.grading.hypotheses import places
from stbp_edu.practice.grading.search import Finding

MOST_INPUTS = 9
MOST_TERMS = 4
FEW_DIGITS = 5e-3
"""What is right to so many digits is rounded, or in float16."""
ROUNDED = "It is right to about 3 digits; float64 has 16. Is a number rounded?"


def wrong_terms(answer: Answer) -> list[Finding]:
    """Return which terms of an answer are missing, too many, or wrong."""
    names = places(answer.source)[0].names
    terms = []
    for chosen, (got, want) in _terms(answer).items():
        words = _words(got, want, answer.rtol)
        if words:
            product_of = "·".join(names[k] for k in sorted(chosen))
            terms.append((product_of, words))
    wrong = [of for of, words in terms if words != "is right"]
    if not 0 < len(wrong) <= MOST_TERMS or len(terms) < 2:
        return []
    if all(words == "is wrong" for _, words in terms):
        return []
    said = []
    for of, words in terms:
        if of or words != "is right":
            said.append(f"{of or 'a constant'} {words}")
    text = f"Term by term, with the other inputs set to 0: {'; '.join(said)}."
    first, *others = wrong
    return [Finding("term", first, text), *(Finding("term", of, "") for of in others)]


def _terms(answer: Answer) -> dict[frozenset[int], Any]:
    """Return the contribution of each set of inputs beyond its smaller sets, in both functions.

    Empty where a function fails with an input at 0.
    """
    k = answer.order[0]
    one = answer.situations[k]
    whole = places(answer.source)[0]
    solution = whole.changed(lambda value: value)
    rng = np.random.default_rng(15)
    moved = list(one.args)
    floats = []
    for j, value in enumerate(one.args):
        is_number = isinstance(value, (float, np.ndarray))
        if is_number and np.result_type(value).kind == "f":
            share = rng.uniform(0.8, 1.0, np.shape(value))
            moved[j] = share * value
            floats.append(j)

    def values(zeros: Collection[int]) -> Array | None:
        """Return the results of both functions, a row each, where some inputs are 0."""
        given = [a * 0.0 if j in zeros else a for j, a in enumerate(moved)]
        yours = answer.ask(given, one.right)
        right = tried(solution, given, one.right)
        both = answer.vector(yours, k), answer.vector(right, k)
        if not all(np.isfinite(numbers).all() for numbers in both):
            return None
        return np.stack(both)

    usable = {j for j in floats if values([j]) is not None}
    if len(usable) > MOST_INPUTS:
        return {}
    table: dict[frozenset[int], Any] = {}
    for chosen in _subsets(sorted(usable)):
        pair = values(usable - chosen)
        if pair is None:
            return {}
        smaller = [part for fewer, part in table.items() if fewer < chosen]
        table[chosen] = pair - sum(smaller)
    return table


def _subsets(numbers: Sequence[int]) -> Iterator[frozenset[int]]:
    """Yield every set of some of these numbers, the smallest first."""
    for size in range(len(numbers) + 1):
        yield from map(frozenset, combinations(numbers, size))


def _words(got: Array, want: Array, rtol: float) -> str:
    """Return the words for a wrong term, "is right", or "" where neither function has it."""
    limit = 10 * rtol * max(1e-3, largest(want))
    has = largest(got) > limit
    belongs = largest(want) > limit
    if not belongs:
        return "does not belong here" if has else ""
    if not has:
        return "is missing"
    factor = float(got @ want / (want @ want))
    if not largest(got - factor * want) <= limit:  # or NaN
        return "is wrong"
    if abs(factor - 1) < 10 * rtol:
        return "is right"
    return f"is {factor:.4g} times what it should be"


def vague_finding(answer: Answer) -> list[Finding]:
    """Return the findings where no single mistake explains an answer."""
    if not any(answer.misses(FEW_DIGITS)):
        return [Finding("digits", "", ROUNDED)]
    if answer.view:
        return []
    with contextlib.redirect_stdout(io.StringIO()):
        return wrong_terms(answer)
