"""A teacher's own tasks: a mistake in the file is named with its place."""

import pytest

from stbp_edu.teaching.problem_set import tasks_with

TASK = {
    "title": "'t'",
    "prompt": "'p'",
    "equation": "'c1-delta'",
    "minutes": "5",
    "signature": "'f(x)'",
    "draw": "'rng.random(3),'",
    "reference": "'2 * x'",
    "solution": "'x + x'",
}


def written(**changes):
    """Return a file with one task, and some of its parts changed; None leaves one out."""
    parts = {name: part for name, part in {**TASK, **changes}.items() if part}
    lines = [f"{name} = {part}" for name, part in parts.items()]
    return "\n".join(["[own]", *lines])


def test_a_sound_task_is_read():
    assert tasks_with(written())["own"].solution == "x + x"


@pytest.mark.parametrize("name", TASK)
def test_each_part_is_needed_and_of_its_kind(name):
    for wrong in (None, "[]", "{a = 1}", "true", "-5", "nan", "[3]"):
        with pytest.raises((TypeError, ValueError), match=r"\bown\b"):
            tasks_with(written(**{name: wrong}))


@pytest.mark.parametrize(
    "changes",
    [
        *({name: "'(('"} for name in ("signature", "draw", "reference", "solution")),
        *({"draw": text} for text in ("'3'", "'nothing'", "'1 / 0'")),
        *({"each": text} for text in ("3", "{a = []}", "{a = 3}")),
        *({"mistakes": text} for text in ("3", "{nothing = 'x'}", "{missing-u = 3}")),
        *({"hints": text} for text in ("'x'", "3")),
        *({"calls": text} for text in ("'x'", "0", "1.5")),
        {"colour": "'red'"},
    ],
)
def test_what_does_not_run_or_is_not_known_is_named(changes):
    with pytest.raises((TypeError, ValueError), match=r"\bown\b"):
        tasks_with(written(**changes))
