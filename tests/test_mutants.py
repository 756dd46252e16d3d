"""The mutants: what changes a file, and a seeded sample that somebody has to notice."""

import ast
import json
import random
from pathlib import Path

import pytest

from tools.mutants import __main__ as harness
from tools.mutants import fork, judges
from tools.mutants.__main__ import all_files, ask
from tools.mutants.changes import changes
from tools.mutants.reached import Reached, measured
from tools.mutants.survivors import is_equivalent, reasons

SOURCE = '''"""A module."""
def f(x: int = 3) -> float:
    """Return a float."""
    if x > 2:
        raise ValueError(f"{x + 1} is too large")
    return x * 2
'''
CHECKING = """
class Neuron:
    tau: float = 0.5
    def __post_init__(self):
        checks.number("tau", self.tau, positive=True)
    def carried(self, u):
        u = checks.floats("u", u)
        if len(u) > 6:
            raise ValueError
        if self.tau > 7:
            u = 8 * u
        self.check(u, 9)
        return u * 10
"""


def test_operators_numbers_conditions_and_returns_are_changed_and_words_are_not():
    made = [str(change) for change in changes(SOURCE)]
    for wanted in (
        *("2: 3  ->  4", "4: x > 2  ->  x >= 2", "4: x > 2  ->  x < 2", "4: 2  ->  3"),
        *("6: x * 2  ->  x / 2", "6: x * 2  ->  x", "6: return x * 2  ->  return None"),
    ):
        assert wanted in made
    assert not [change for change in made if change.startswith(("1:", "3:"))]
    assert not [change for change in made if "x + 1" in change.partition("->")[0][:8]]


def test_a_change_makes_a_tree_and_leaves_the_others_alone():
    texts = [ast.unparse(change.tree()) for change in changes(SOURCE)]
    assert len(set(texts)) == len(texts)
    assert ast.unparse(ast.parse(SOURCE)) not in texts


def test_checks_and_defaults_are_told_from_what_computes():
    made = [c for c in changes(CHECKING) if c.old.replace(".", "").isdigit()]
    assert {c.old for c in made if c.checks} == {"0.5", "6", "9"}
    assert {c.old for c in made if not c.checks} == {"7", "8", "10"}
    assert [c.checks for c in changes(CHECKING) if c.old == "positive"] == []
    assert all(c.checks for c in changes(CHECKING) if "number" in c.old or "raise" in c.old)


def test_a_change_that_is_asked_about_again_is_counted_once(monkeypatch):
    path = Path("stbp_edu/neuron.py")
    said = [[], ["properties", "tests"], ["autodiff", "paths"], ["tests"], ["formulas", "paths"]]
    answers = iter(said)
    monkeypatch.setattr(harness, "ask", lambda *_: next(answers))
    monkeypatch.setattr(harness, "FOUND_WELL", {judges.group(path)})
    *_, first = harness.measure(path, {}, most=3)
    assert (len(first["survived"]), len(first["weakly"]), first["tried"]) == (1, 1, 3)
    *_, known = harness.measure_again(path, json.loads(json.dumps(first, sort_keys=True)))
    assert known["seen"] == {"autodiff + paths": 1, "tests": 1, "formulas + paths": 1}
    assert ([one["by"] for one in known["weakly"]], known["survived"]) == (["tests"], [])
    assert (known["tried"], known["computing"]) == (3, first["computing"])


def test_a_check_needs_any_two_judges_and_what_computes_an_oracle():
    for seen, a_check, a_formula in (
        (["bad calls", "tests"], True, False),
        (["properties", "tests"], True, False),
        (["formulas"], False, False),
        (["formulas", "properties"], True, True),
        (["raised"], True, True),
    ):
        assert (judges.enough(seen, True), judges.enough(seen, False)) == (a_check, a_formula)


def test_files_are_chosen_by_name_or_by_folder():
    cases = harness.chosen([Path("stbp_edu/cases"), Path("stbp_edu/neuron.py")])
    assert {path.parent.name for path in cases} == {"cases", "stbp_edu"}
    assert Path("stbp_edu/neuron.py") in cases
    assert harness.chosen([]) == all_files()
    with pytest.raises(SystemExit, match="no file at stbp_edu/cli is changed"):
        harness.chosen([Path("stbp_edu/cli")])


def test_the_weekly_jobs_change_every_file_once():
    text = (fork.ROOT / ".github" / "workflows" / "weekly.yml").read_text(encoding="utf-8")
    paths = text.partition("paths:\n")[2].partition("    steps:")[0]
    jobs = [[Path(p) for p in line.strip(" -").split()] for line in paths.splitlines() if line]
    assert len(jobs) == 5
    assert sorted(path for job in jobs for path in harness.chosen(job)) == sorted(all_files())


@pytest.mark.slow
def test_every_survivor_of_the_kept_list_is_a_change_that_there_is():
    known = {
        (path.as_posix(), change.code, change.old, change.new)
        for path in all_files()
        for change in changes((fork.ROOT / path).read_text(encoding="utf-8"))
    }
    assert set(reasons()) <= known
    assert all(len(why) > 20 for why in reasons().values())


@pytest.mark.slow
def test_a_program_that_does_not_end_is_stopped():
    tree = ast.parse("while True: pass")
    path = all_files()[0]
    said, ended = fork.answers(path, tree, lambda: judges.judge(path), seconds=2)
    assert (said, ended) == ([], False)


@pytest.mark.slow
def test_a_fork_in_a_fork_has_at_most_the_time_of_the_first():
    path = all_files()[0]
    tree = ast.parse((fork.ROOT / path).read_text(encoding="utf-8"))

    def inner():
        yield from fork.answers(path, tree, lambda: iter(["seen"]), seconds=120)[0]

    assert fork.answers(path, tree, inner, seconds=60) == (["seen"], True)


@pytest.mark.slow
def test_a_changed_file_that_pytest_is_given_by_name_is_the_one_that_it_tests():
    """Pytest rewrites such a file itself, unless it is loaded already."""
    path = Path("stbp_edu/rules.py")
    source = (fork.ROOT / path).read_text(encoding="utf-8")
    tree = ast.parse(source.replace("RULES + ABLATIONS", "()"))
    assert ask(path, tree) == ["tests"]


def test_a_change_is_shown_to_the_tests_that_run_its_statement_the_shortest_first(monkeypatch):
    source = "x = 1\ndef f(\n    y,\n):\n    if y:\n        return [\n            y,\n        ]\n"
    monkeypatch.setattr(Path, "read_text", lambda *_, **__: source)
    path = Path("f.py")
    lines = {"1": [0, 1, 2], "2": [1, 2], "5": [2, 1], "6": [2]}
    found = Reached(tests={"short": 1, "middle": 2, "long": 4}, lines={"f.py": lines})
    assert found.at(path, 7, seconds=9) == ["long"]  # of the return, which begins a line above
    assert found.at(path, 5, seconds=9) == found.at(path, 3, seconds=9) == ["middle", "long"]
    assert found.at(path, 1, seconds=3) == ["short", "middle"]
    assert Reached(found.tests, {"f.py": {}}).at(path, 7, seconds=9) == [
        *found.tests
    ]  # no test is seen there


@pytest.mark.slow
def test_the_tests_that_run_a_line_are_measured_and_those_alone_are_asked():
    path = Path("stbp_edu/rules.py")
    source = (fork.ROOT / path).read_text(encoding="utf-8")
    found = measured([path], [*judges.OPTIONS, "tests/test_rules.py", "tests/test_neuron.py"])
    some, every = (
        found.at(path, 1 + source[: source.index(code)].count("\n"), seconds=60)
        for code in ("return gates", "RULES =")
    )
    assert 0 < len(some) < len(every) == len(found.tests)
    tree = ast.parse(source.replace("return gates", "return"))
    others = [name for name in every if name not in some]
    assert (ask(path, tree, some), ask(path, tree, others[:1])) == (["tests"], [])


@pytest.mark.slow
@pytest.mark.parametrize("path", [p for p in all_files() if judges.is_judged(p)], ids=str)
def test_somebody_notices_a_sample_of_changes_of_the_judged_mathematics(path):
    """Three of each file, another three for each version of it."""
    source = (fork.ROOT / path).read_text(encoding="utf-8")
    judges.prepare()
    for change in random.Random(source).sample(changes(source), 3):
        assert ask(path, change.tree()) or is_equivalent(path, change), f"{path}:{change}"
