"""Texts that are not understood: the line, the place, and what would be; and nothing ever runs."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stbp_edu import derive

NOT_READ = (
    """
u if x else 0; [u for u in x]; __import__('os').system('true'); u.real; u[0]; lambda: x; u @ x
u // 2; True; 1j; 'u'; u < x; not u; exp(u, k=1)
""".strip()
    .replace("\n", "; ")
    .split("; ")
)
BAD = [
    ("u = x / 0 + u", 1, "x / 0", "1 / 0 is inf"),
    ("f(a) = 1 / a; u = x * f(0) + u", 1, "x *", "1 / 0 is inf"),
    ("u = exp(1000) * u + x", 1, "exp", "exp(1000) is inf"),
    # text, where the mark stands: line and what is above it; and words of the message
    ("u = tau * u + x\nu = u + 1", 2, "u =", "u has a line already, line 1"),
    ("u = gamma * u + x", 1, "gamma", "gamma has no value; known are x, u, tau, v_th"),
    (
        "u = tau * u * (1 - o) + x",
        1,
        "o)",
        "give it one, as in o = 0.5, or add a line for it",
    ),
    ("u = tau * u", 1, "u =", "no input reaches u"),
    ("u = tau * u + x\no = spike(1)", 2, "o =", "no input reaches o"),
    ("u = tau * u + x + w\nw = w / 2\no = spike(u)", 2, "w =", "no input reaches w"),
    ("u = tau * u + x\no = 2 * spike(u)", 2, "spike", "spike inside an expression"),
    ("f(a) = spike(a)\nu = f(u) + x", 1, "spike", "spike inside a function"),
    ("u = tau * u + x\no = spike(u)\nq = spike(u)", 3, "spike", "a second spike"),
    ("u = sin(u) + x", 1, "sin", "no function is called sin"),
    ("u = exp(u, 2) + x", 1, "exp", "exp takes 1 argument, got 2"),
    *[(f"u = {piece}", 1, piece[:4], "not understood") for piece in NOT_READ],
    ("u = u +", 1, "u +", "not understood"),
    ("tau = 0.5; u = u + x", 1, "tau", "tau is a constant, too"),
    ("u + x", 1, "u +", "a line must assign one name"),
    ("u == x", 1, "= x", "not understood"),
    *[
        (f"{s} = x", 1, s, f"{s} cannot be assigned")
        for s in ("x", "exp", "b", "d_u", "u_next")
    ],
    *[
        (f"{s} = x", 1, s, "a line must assign one name")
        for s in ("lambda", "None", "f()")
    ],
    ("f(1) = x", 1, "1", "'1' is not an argument"),
    ("u" * 21 + " = x", 1, "u", f"{'u' * 21} cannot be assigned"),
    ("tau = x", 1, "tau", "tau is a constant, too"),
    ("v = tau * v + x\no = spike((v - v) - 0.3)", 2, "o =", "no input reaches o"),
    (
        "dv = (x - v) / tau\no = spike(dv)",
        1,
        "v)",
        "v has no value; known are x, dv, o, tau",
    ),
    ("u = 9 ** 9 ** 9 + x", 1, "9 ** 9 +", "an exponent that is not understood"),
    ("u = u ** 101 + x", 1, "101", "an exponent that is not understood"),
    ("f(u) = u + w\nw = f(u) + x", 1, "w", "f has no argument w"),
    ("u = f(u) + x\nf(a) = a", 1, "f(u)", "no function is called f"),
    ("u = " + "u + " * 60 + "x", 1, "u", "it has 245 characters"),
    ("u = " + "(" * 195, 1, "", "not understood"),
    (
        "f(a) = a * a\n" + "u = f(f(f(f(f(f(f(f(f(x)))))))))",
        2,
        "f(f(",
        "too long when written out",
    ),
    ("u = u\x00 + x", 1, "", "not understood"),
    ("u = \ud800 + x", 1, "?", "not understood"),
]


@pytest.mark.parametrize(("text", "line", "mark", "words"), BAD)
def test_a_bad_text_shows_the_line_and_the_place_and_what_to_write(
    text, line, mark, words
):
    with pytest.raises(ValueError) as error:
        derive(text, tau=0.5, v_th=1.0)
    problem, shown, place, advice = str(error.value).split("\n", 3)
    assert problem.startswith(f"line {line}: ")
    assert advice.startswith(words) or words in problem
    whole = "".join(s if s.isprintable() or s == "\n" else "?" for s in text)
    assert shown[4:][: len(text)] in whole or shown.endswith(" ...")
    assert shown[place.index("^") :].startswith(mark)


PIECES = "u o x tau f ( ) * ** + - / , = 1 spike exp max 0 9e9 # if [ ] . : ' \\ \u03c4"


@pytest.mark.slow
@settings(max_examples=5 * settings().max_examples)
@given(
    st.text(max_size=300)
    | st.lists(st.sampled_from([*PIECES.split(), " ", "\n"]), max_size=60).map("".join)
)
def test_any_text_is_read_or_refused(text):
    try:
        mine = derive(text, tau=0.5)
    except ValueError:
        return
    assert mine.neuron.input in mine.neuron.order
    assert mine.program()
    assert mine.formulas()


def test_the_longest_text_is_read_in_bounded_time_and_size():
    lines = [f"f{k}(a) = a * {' * '.join(['a'] * 12)} + exp(a)" for k in range(8)]
    text = "\n".join(
        [*lines, *(f"s{k} = f{k}(s{max(k - 1, 0)}) * f{k}(x) + s0" for k in range(8))]
    )
    assert len(str(derive(text).program())) < 100_000
