"""Problem sets: every task in every flavour, the same bytes twice, and plans with a mistake."""

import json
import re

import nbformat
import pytest

from stbp_edu.cli.main import main
from stbp_edu.practice.feedback import markup
from stbp_edu.practice.grading import grade
from stbp_edu.practice.tasks import tasks
from stbp_edu.teaching.notebooks import FLAVOURS, code, files_of, filled
from stbp_edu.teaching.own_tasks import tasks_with
from stbp_edu.teaching.problem_set import read_problem_set

PLAN = 'title = "Week 3"\ntasks = ["c3-delta", "h4-formula"]\n'


def plan(folder, text):
    path = folder / "plan.toml"
    path.write_text(text)
    return path


def written(folder, text, flavour="plain"):
    return dict(files_of(read_problem_set(plan(folder, text)), flavour))


def source(folder, text, flavour):
    """Return the cells of the notebook that a flavour's own tools read."""
    (book,) = (
        c for p, c in written(folder, text, flavour).items() if "source" in p.parts
    )
    return json.loads(book)["cells"]


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_every_task_can_be_asked_and_only_the_teacher_is_told(flavour, tmp_path):
    text = f"title = 'All'\ntasks = {list(tasks())}"
    files = written(tmp_path, text, flavour)
    assert files == written(tmp_path, text, flavour)
    assert all(
        markup(task.title) in files[next(iter(files))] for task in tasks().values()
    )
    for path, content in files.items():
        if path.suffix == ".ipynb":
            nbformat.validate(nbformat.reads(content, as_version=4))
            cells = json.loads(content)["cells"]
            sources = [cell["source"] for cell in cells if cell["cell_type"] == "code"]
            for task in tasks().values() if path.parts[0] != "source" else ():
                assert (code(task) in sources) == (path.parts[0] == "teacher"), task.id
            assert path.parts[0] == "source" or "gain(" in "".join(sources)


def test_nbgrader_and_otter_are_told_what_is_what(tmp_path):
    cells = source(tmp_path, PLAN, "nbgrader")
    marks = [m for c in cells if (m := c["metadata"].get("nbgrader"))]
    assert [m["schema_version"] for m in marks] == [3] * 4
    told = [(m["solution"], m["grade"], m["locked"]) for m in marks[:2]]
    assert told == [(False, False, True), (True, True, False)]
    assert [m.get("points") for m in marks if m["grade"]] == [12, 4]
    cells = source(tmp_path, PLAN, "otter")
    raw = [c["source"].split("\n")[0] for c in cells if c["cell_type"] == "raw"]
    words = ["BEGIN QUESTION", "BEGIN SOLUTION", "END SOLUTION", "END QUESTION"]
    assert raw == ["# ASSIGNMENT CONFIG"] + [f"# {word}" for word in words] * 2


@pytest.mark.parametrize("flavour", ["nbgrader", "otter"])
def test_these_flavours_carry_answers_only(flavour, tmp_path):
    """A test in the student's own kernel believes whatever the student puts in its place."""
    for cell in source(tmp_path, "checks = false\n" + PLAN, flavour):
        assert "check" not in cell["source"]
        assert "assert" not in cell["source"]


def test_own_tasks_are_asked_drawn_for_each_variant_and_tried(tmp_path, capsys):
    own = filled("own_tasks.toml")
    (tmp_path / "mine.toml").write_text(own)
    text = "title = 'Exam'\nchecks = false\ntasks_from = 'mine.toml'\n"
    text += "tasks = ['my-neuron', 'gain']\n[variants]\ncount = 6\n"
    files = written(tmp_path, text)
    books = [c for p, c in files.items() if p.parts[0] == "student"]
    asked = {re.search(r"u\^t\\\\, \(1 - [\d.]+", book)[0] for book in books}
    assert len(asked) > 1
    assert not any("<leak>" in book or "eps_next * 0" in book for book in books)
    assert main(["assign", str(tmp_path / "plan.toml"), "--check"]) == 0
    said = capsys.readouterr().out
    assert "every mistake recognised, in 6 variants" in said
    assert "different forms" not in said
    wrong = own.replace("u*(1-<part>*o) + x", "u*(1-o) + x")
    (tmp_path / "mine.toml").write_text(wrong)
    assert main(["assign", str(tmp_path / "plan.toml"), "--check"]) == 1
    said = capsys.readouterr().out
    place = "my-neuron, variant 1 and 5 more"
    assert said.startswith(f"{place}: the solution is not right: ")
    assert "hint(" not in said
    assert said.count("\n") == 1
    same = 'missing-u = " * u => "\nextra-h = " * u => "'
    (tmp_path / "mine.toml").write_text(own.replace('missing-u = " * u => "', same))
    assert main(["assign", str(tmp_path / "plan.toml"), "--check"]) == 1
    assert capsys.readouterr().out == f"{place}: missing-u and extra-h give the same\n"
    (tmp_path / "mine.toml").write_text(own.replace("equation =", "equaton ="))
    assert main(["assign", str(tmp_path / "plan.toml"), "--check"]) == 2
    assert "must have equation; add" in capsys.readouterr().err


def test_each_variant_of_an_own_task_has_a_form_of_its_own_or_is_said_to_have_none(
    tmp_path, capsys
):
    (tmp_path / "mine.toml").write_text(filled("own_tasks.toml"))
    text = "title = 'Exam'\ntasks_from = 'mine.toml'\ntasks = ['my-neuron']\n"
    text += "[variants]\ncount = "
    asked = read_problem_set(plan(tmp_path, f"{text}40"))
    forms = [asked.library(k)["my-neuron"].solution for k in range(1, 41)]
    assert len(set(forms)) == 40
    assert main(["assign", str(plan(tmp_path, f"{text}60")), str(tmp_path / "a")]) == 0
    assert "my-neuron has 56 different forms for 60 var" in capsys.readouterr().out


def test_mistakes_are_listed_and_have_a_teachers_own_words(tmp_path, capsys):
    assert main(["assign", "--list-mistakes"]) == 0
    assert "\nmissing-leak: the leak is missing\n" in capsys.readouterr().out
    (tmp_path / "mine.toml").write_text(filled("own_tasks.toml"))
    task = tasks_with(tmp_path / "mine.toml")["my-neuron"]
    assert "The factor of the carry is" in task.why_wrong("leak-for-gate")
    answer = task.function(
        next(m.body for m in task.mistakes if m.id == "leak-for-gate")
    )
    said = " ".join(grade(task, answer).message)
    assert "The factor of the carry is" in said
    assert "First at call 1 of 4: ε: yours" in said
    assert said.endswith(f"Look at notebook {task.notebook}.")


def test_variants_differ_and_come_again_by_their_seed(tmp_path):
    """Of the plan that --help shows."""
    text = filled("plan.toml")
    drawn = read_problem_set(plan(tmp_path, text))
    variants = [drawn.tasks_of(k) for k in (1, 2, 3)]
    assert variants == [
        read_problem_set(tmp_path / "plan.toml").tasks_of(k) for k in (1, 2, 3)
    ]
    assert len({tuple(v) for v in variants}) == 3
    assert all(len(set(v)) == 6 and set(drawn.tasks) < set(v) for v in variants)
    books = {
        p.name: c for p, c in written(tmp_path, text).items() if p.suffix == ".ipynb"
    }
    assert set(books) == {
        f"problem-set-2-back-through-time-{k}.ipynb" for k in (1, 2, 3)
    }
    for name, book in books.items():
        assert json.loads(book)["metadata"]["stbp_edu"]["variant"] == int(name[-7])
    with pytest.raises(ValueError, match="variant must be 1 to 3, got 4"):
        drawn.tasks_of(4)


def test_an_exam_holds_no_checks(tmp_path):
    files = written(tmp_path, "checks = false\n" + PLAN)
    assert not [p for p, c in files.items() if p.suffix == ".ipynb" and "check" in c]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("tasks = [", "must be a TOML file"),
        ("", "plan.toml: the plan must ask something"),
        ("title = 3", 'plan.toml: title must be a text, got 3; write title = "Week 3"'),
        (
            "points = 3\n" + PLAN,
            "points must be a table, got 3; write it as { name = value }",
        ),
        (
            "checks = 'no'\n" + PLAN,
            "checks must be true or false, got 'no'; write checks = true",
        ),
        (
            'tasks = ["c3-dleta"]',
            "a task of tasks must be .* 'c3-delta'.*got 'c3-dleta'",
        ),
        ('tasks = "gain"', "tasks must be a list in"),
        ('tasks = ["gain", "gain"]', "tasks must name each task once"),
        (PLAN + "[points]\nh4-formula = -1", "points of h4-formula must be"),
        (
            PLAN + "[points]\ngian = 1",
            "a key of points must be .*'c3-delta', .*got 'gian'",
        ),
        (PLAN + "[variants.authors]\nanna = 2", "the variant of anna must be <= 1"),
        (PLAN + "[[pools]]\nobjective = 'nothing'", "objective must be one of"),
        (PLAN + "[[pools]]\ntasks = ['gain']\ndraw = 2", "as many tasks as are drawn"),
        (PLAN + "[variants]\ncount = 100000000", "count must be .*1000, got 100000000"),
        ("seed = 1\n" + PLAN, "a key of the plan must be .*'tasks', .*got 'seed'"),
    ],
)
def test_a_plan_with_a_mistake_is_told_and_nothing_is_written(
    text, message, tmp_path, capsys
):
    assert main(["assign", str(plan(tmp_path, text)), str(tmp_path / "out")]) == 2
    assert re.search(message, capsys.readouterr().err)
    assert [p.name for p in tmp_path.iterdir()] == ["plan.toml"]


def test_a_dry_run_writes_nothing_and_a_folder_in_use_is_left_alone(tmp_path, capsys):
    out = tmp_path / "out"
    path = plan(tmp_path, PLAN)
    assert main(["assign", str(path), str(out), "--dry-run"]) == 0
    assert "would write" in capsys.readouterr().out
    assert not out.exists()
    assert main(["assign", str(path), str(out)]) == 0
    before = {p: p.read_bytes() for p in out.rglob("*") if p.is_file()}
    assert len(before) == 3
    assert "50% of them" in before[out / "rubric.md"].decode()
    assert main(["assign", str(path), str(out)]) == 2
    assert "OUT must be a new or empty folder" in capsys.readouterr().err
    assert before == {p: p.read_bytes() for p in out.rglob("*") if p.is_file()}
    assert main(["assign", "--list"]) == 0
    listed = capsys.readouterr().out
    marked = re.findall(r"min  ([\w-]+): .*\(in no notebook\)$", listed, flags=re.M)
    assert "  homework" in listed
    assert {*marked} == {id_ for id_, task in tasks().items() if not task.in_course}
