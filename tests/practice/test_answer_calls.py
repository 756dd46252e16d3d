"""What one call of an answer gives, and what a changed number is called."""

import ast
import runpy

import numpy as np
import pytest

from stbp_edu.practice.grading.calling import LONGEST_TEXT, call
from stbp_edu.practice.grading.hypotheses import places, rewritten
from stbp_edu.practice.tasks.programs import define


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (
            "return 2 * a[:, None, 0, 0]",
            "at `return 2 * a[:, None, 0, 0]`",
        ),
        ("b = len(a)\n    return missing(b)", "at `return missing(b)`"),
        ("return max(\n        a[0],\n        a[7] + 1)", "at `a[7] + 1)`"),
        ("return (a\n        + np.ones(9))", "at `return (a`"),
        ("raise ValueError('no')", "ValueError: no, at `raise ValueError('no')`"),
        ("raise ValueError('n' * 999)", f"ValueError: {'n' * LONGEST_TEXT}, at"),
    ],
)
def test_an_error_is_shown_at_the_line_that_raises_it(tmp_path, body, place):
    path = tmp_path / "answer.py"
    path.write_text(f"import numpy as np\ndef answer(a):\n    {body}\n")
    found = call(runpy.run_path(str(path))["answer"], [np.ones(3)], np.ones(3))
    assert found.kind == "problem"
    assert place in found.message


@pytest.mark.parametrize(
    ("returned", "came"),
    [
        ("2.0", "only one number"),
        ("(a, a, a)", "3 results"),
        ("[a]", "1 results"),
        ("a.sum", "only one builtin_function_or_method"),
    ],
)
def test_another_number_of_results_is_counted(returned, came):
    answer = define(f"def answer(a):\n    return {returned}\n")
    found = call(answer, [np.float64(3)], (1.0, 2.0), ["W", "b"])
    assert f"it returns {came}" in found.message
    assert found.message.endswith("where 2 are expected (W, b)")


@pytest.mark.parametrize("number", ["3", "0.5"])
def test_a_number_may_be_one_more_or_less_doubled_halved_or_negative(number):
    n = ast.literal_eval(number)
    found = set()
    for place in places(f"def answer(a):\n    return a ** {number} + 7 * a\n"):
        if place.text == number:
            found = {
                expression for id_, _, expression in rewritten(place) if id_ == "number"
            }
    assert set(map(float, found)) == {n + 1, n - 1, 2 * n, n / 2, -n}
