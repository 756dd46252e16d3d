"""What wrong answers are told, word for word, as it was when it was last read.

Other tests ask whether the feedback is right; this one whether it has changed. Where a change is
meant, ``python -m tests.practice.feedback_texts`` keeps the new texts; read the difference in
``feedback_texts.json`` as a reader of the feedback would.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from stbp_edu import files
from stbp_edu.practice import check_formula, check_network
from stbp_edu.practice.grading import diagnosis
from stbp_edu.practice.grading.exercise_check import grade
from stbp_edu.practice.tasks import blanks, exercises
from tests.practice.mutants import mutants, mutated
from tests.practice.test_locate import sourced

KEPT = Path(__file__).with_suffix(".json")
ANSWERS = 6  # of each exercise, and as many for which no change of the solution is tried
FORMULAS = 12  # of each equation
PASSES = 16  # whole backward passes


def of_exercise(id_: str) -> Iterator[tuple[str, str]]:
    """Yield wrong answers, each with what it is told."""
    for mutant in mutants(exercises()[id_], ANSWERS, seed=7):
        yield str(mutant), repr(grade(mutant.exercise, sourced(mutant.source)))


def of_exercise_alone(id_: str) -> Iterator[tuple[str, str]]:
    """Yield the same of other answers, where no change of the solution is tried."""
    change, diagnosis.by_change = diagnosis.by_change, lambda *_: []
    try:
        for mutant in mutants(exercises()[id_], ANSWERS, seed=8):
            yield str(mutant), repr(grade(mutant.exercise, sourced(mutant.source)))
    finally:
        diagnosis.by_change = change


def of_formula(equation: str) -> Iterator[tuple[str, str]]:
    """Yield formulas, some of them right, each with what it is told."""
    blank = blanks()[equation]
    source = f"def f({', '.join(blank.symbols)}):\n    return {blank.solution}"
    rng = np.random.default_rng([7, *equation.encode()])
    for _ in range(FORMULAS):
        text = mutated(source, list(blank.symbols), rng)[0].partition("return ")[2]
        yield text, repr(check_formula(equation, text))


def of_network(part: int) -> Iterator[tuple[str, str]]:
    """Yield every fourth of some backward passes, each with what it is told."""
    backward = exercises()["backward"]
    for mutant in [*mutants(backward, PASSES, seed=9)][part::4]:
        yield str(mutant), repr(check_network(sourced(mutant.source)))


GROUPS = {
    **{f"exercise {id_}": (of_exercise, id_) for id_ in exercises()},
    **{f"exercise {id_}, asked alone": (of_exercise_alone, id_) for id_ in exercises()},
    **{f"formula {equation}": (of_formula, equation) for equation in blanks()},
    **{f"network, part {k + 1} of 4": (of_network, k) for k in range(4)},
}
"""The texts by what is answered: a function, and what it is called with."""


def texts(group: str) -> dict[str, str]:
    """Return what the answers of a group are told now.

    Without the words and the place of an exception, which are Python's and differ by its version,
    and without the title of the section to look at, which may change for reasons of its own.
    """
    function, of = GROUPS[group]
    found = {}
    for answer, text in function(of):
        text = re.sub(r"It raises (\w+).*", r"It raises \1", text)
        found[answer] = re.sub(r"\n  Look at notebook .*", "", text)
    return found


if __name__ == "__main__":
    files.write_json(KEPT, {group: texts(group) for group in GROUPS})
    print(f"written: {KEPT.name}")
