"""Odd formulas and functions, drawn by Hypothesis: each gets a verdict.

``STBP_EXAMPLES=search`` draws many, and others at each run: the weekly workflow does.
"""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stbp_edu.practice import check, check_formula, exercises
from stbp_edu.practice.tasks import blanks
from stbp_edu.practice.tasks.programs import define

resource = pytest.importorskip("resource", reason="Windows does not limit memory")

FEW = settings(
    max_examples=max(3, settings().max_examples // 10)
)  # a verdict takes a second
MEMORY = 4 * 2**30
PIECES = (
    *(
        "+",
        "-",
        "*",
        "/",
        "**",
        "^",
        "(",
        ")",
        "((",
        "))",
        ",",
        ".",
        "=",
        "==",
        "!",
        "~",
        "@",
        ":",
    ),
    *(
        "0",
        "1",
        "2",
        "9",
        "1e9",
        "1e999",
        "1e-400",
        "0x1f",
        "1j",
        "10**9",
        "\0",
        "\n",
        "'",
        "#",
    ),
    *(
        "exp(",
        "sqrt(",
        "abs(",
        "lambda: ",
        "[",
        "]",
        "{",
        "if",
        "import os",
        "__class__",
        "δ",
        "²",
    ),
    *("ε", "τ", "𝛼", "e_{3}", "′", "−", "·", "9**9**9**9", "-" * 80, "(" * 90, "x"),
)
"""What a formula is made worse with."""

ODD_VALUES = (
    *(
        "None",
        "...",
        "float('nan')",
        "10**400",
        "1j",
        "'text'",
        "b'x'",
        "[]",
        "{}",
        "[[]]",
        "np",
    ),
    *(
        "np.zeros((3, 0))",
        "np.ma.masked",
        "set()",
        "np.array(None)",
        "np.array(['a'])",
        "1 / 0",
    ),
    *(
        "(x for x in ())",
        "range(10**9)",
        "np.ones((9, 9, 9))",
        "np.float32(1)",
        "object()",
    ),
    *("np.matrix([[1.0]])", "open", "exit()"),
)
"""What a function returns in place of an answer."""


@pytest.fixture(scope="module", autouse=True)
def own_progress_and_little_memory(
    tmp_path_factory,
):
    """Leave the reader's own file alone, and meet an error before the system ends the process."""
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, hard))
    with pytest.MonkeyPatch.context() as patch:
        path = tmp_path_factory.mktemp("odd") / "progress.json"
        patch.setenv("STBP_EDU_PROGRESS", str(path))
        yield
    resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def is_whole(feedback):
    """Return whether feedback has a state, and words that can be shown."""
    said = feedback.message
    words = said and all(line.strip() for line in said)
    shown = repr(feedback) + feedback._repr_html_()
    return (
        feedback.state in {"right", "wrong", "todo"}
        and words
        and "Traceback" not in shown
    )


@st.composite
def damaged_formulas(draw):
    """Draw a blank, and a formula with pieces put in, taken out or doubled."""
    name = draw(st.sampled_from(sorted(blanks())))
    blank = blanks()[name]
    text = draw(
        st.sampled_from([blank.solution, *(m.body for m in blank.mistakes), ""])
    )
    piece = st.sampled_from(["", *PIECES, *blank.symbols])
    edits = st.tuples(st.integers(0, 200), piece, st.sampled_from([0, 0, 1, 3]))
    for at, new, width in draw(st.lists(edits, max_size=40)):
        at %= len(text) + 1
        text = text[:at] + new + text[at + width :]
    return name, text


@pytest.mark.slow
@FEW
@given(damaged_formulas())
def test_any_formula_gets_a_verdict(case):
    blank, text = case
    assert is_whole(check_formula(blank, text))


@pytest.mark.slow
@FEW
@given(st.sampled_from(sorted(exercises())), st.sampled_from(ODD_VALUES))
def test_any_function_gets_a_verdict(name, value):
    """Changed solutions get theirs in tests/practice/test_wrong_answers.py."""
    head = exercises()[name].source().partition("\n")[0]
    assert is_whole(check(name, define(f"{head}\n    return {value}\n")))
