"""Problem sets: every task, variants and their students, own tasks, and plans with a mistake."""

import json
import re

import nbformat
import pytest

from stbp_edu.cli.main import main
from stbp_edu.practice.feedback import markup
from stbp_edu.practice.tasks import tasks
from stbp_edu.teaching.marks import mark
from stbp_edu.teaching.notebooks import code, filled, notebook
from stbp_edu.teaching.problem_set import read_problem_set, tasks_with

PLAN = 'title = "Week 3"\ntasks = ["c3-delta", "h4-formula"]\n'


def written(folder, text, *, own="", roster="id\nanna\nbo\ncy"):
    """Write a plan, and beside it a file of own tasks and a roster; return its path."""
    (folder / "mine.toml").write_text(own)
    (folder / "class.csv").write_text(roster)
    (folder / "week3.toml").write_text(text)
    return folder / "week3.toml"


def assigned(folder, text, *options, **files):
    """Assign a plan to a class; return the exit code and the folder of the course."""
    path = written(folder, text, **files)
    out = folder / "course"
    roster = ["--roster", str(folder / "class.csv")]
    return main(["assign", str(path), str(out), *roster, *options]), out


def sources(text):
    nbformat.validate(nbformat.reads(text, as_version=4))
    return [cell["source"] for cell in json.loads(text)["cells"]]


def test_every_task_can_be_asked_and_only_the_source_tells(tmp_path):
    asked = read_problem_set(written(tmp_path, f"tasks = {list(tasks())}"))
    student, source = notebook(asked), notebook(asked, is_source=True)
    assert student == notebook(asked)
    cells, told = sources(student), "\n".join(sources(source))
    for task in tasks().values():
        assert markup(task.title) in student
        assert code(task, "...") in cells
        assert code(task) not in "\n".join(cells), task.id
        assert code(task) in told, task.id
    assert "HIDDEN" not in student
    assert "top to bottom, except for those that only check" in student
    with_checks = written(tmp_path, "checks = false\n" + PLAN)
    assert "check" not in notebook(read_problem_set(with_checks))


def test_each_student_gets_a_variant_of_equal_cells_and_points(tmp_path):
    code_, out = assigned(tmp_path, filled("plan.toml"))
    assert code_ == 0
    plan = read_problem_set(tmp_path / "week3.toml")
    drawn = {
        student: plan.tasks_of(k + 1) for k, student in enumerate(("anna", "bo", "cy"))
    }
    assert len(set(map(tuple, drawn.values()))) > 1
    told = set()
    for student, ids in drawn.items():
        assert len(set(ids)) == 6
        assert set(plan.tasks) < set(ids)
        text = (out / "handout/week3" / f"{student}.ipynb").read_text()
        assert all(code(tasks()[id_], "...") in sources(text) for id_ in ids)
        cells = [c["metadata"].get("nbgrader", {}) for c in json.loads(text)["cells"]]
        told.add(tuple((c["grade_id"], c.get("points")) for c in cells if c))
    (cells,) = told
    assert ("drawn_6-points", 8) in cells
    source = (out / "source/week3/week3.ipynb").read_text()
    assert "variants={'anna': 1, 'bo': 2, 'cy': 3}" in source
    assert str([ids[5] for ids in drawn.values()]) in source


def test_an_assignment_leaves_what_is_there_and_names_an_old_configuration(
    tmp_path, capsys
):
    _, out = assigned(tmp_path, filled("plan.toml"))
    before = {p: p.read_bytes() for p in out.rglob("*") if p.is_file()}
    assert assigned(tmp_path, filled("plan.toml"))[0] == 2  # it is there already
    (tmp_path / "week4.toml").write_text(PLAN)
    (out / "nbgrader_config.py").write_text("c = get_config()")
    before[out / "nbgrader_config.py"] = b"c = get_config()"
    assert main(["assign", str(tmp_path / "week4.toml"), str(out)]) == 0
    assert (
        "nbgrader_config.py is not the one of this version" in capsys.readouterr().out
    )
    assert before.items() < {p: p.read_bytes() for p in out.rglob("*.*")}.items()


def test_own_tasks_are_drawn_for_each_variant_and_tried(tmp_path, capsys):
    own = filled("own_tasks.toml")
    text = "checks = false\ntasks_from = 'mine.toml'\n"
    text += "tasks = ['my-neuron', 'gain']\n[variants]\ncount = 40\n"
    plan = read_problem_set(written(tmp_path, text, own=own))
    forms = [tasks_with(plan.own_tasks, k)["my-neuron"].solution for k in range(1, 41)]
    assert len(set(forms)) == 40
    books = [notebook(plan, k) for k in (1, 2, 3)]
    asked = {re.search(r"u\^t\\\\, \(1 - [\d.]+", book)[0] for book in books}
    assert len(asked) > 1
    assert not any("<leak>" in book or "eps_next * 0" in book for book in books)
    text = text.replace("40", "3")
    assert assigned(tmp_path, text, "--check", own=own)[0] == 0
    assert "every mistake recognised, in 3 variants" in capsys.readouterr().out
    wrong = own.replace("u*(1-<part>*o) + x", "u*(1-o) + x")
    assert assigned(tmp_path, text, "--check", own=wrong)[0] == 1
    assert "my-neuron: the solution is not right: " in capsys.readouterr().out
    same = own.replace(
        'missing-u = " * u => "', 'missing-u = " * u => "\nextra-h = " * u => "'
    )
    assert assigned(tmp_path, text, "--check", own=same)[0] == 1
    said = capsys.readouterr().out
    assert (
        "variant 1 and 2 more: my-neuron: missing-u and extra-h give the same" in said
    )


def test_a_mistake_has_the_teachers_own_words(capsys):
    assert main(["assign", "--list-mistakes"]) == 0
    assert "\nmissing-leak: the leak is missing\n" in capsys.readouterr().out
    task = tasks_with(filled("own_tasks.toml"))["my-neuron"]
    answer = {m.id: m.body for m in task.mistakes}["leak-for-gate"]
    names = {"my_neuron": task.function(answer)}
    own = filled("own_tasks.toml")
    assert mark(["my-neuron"], names, points=2, partial=0.25, own_tasks=own) == 0.5
    assert "The factor of the carry is" in capsys.readouterr().out
    assert mark(["gain"], {}, points=8, variants={"anna": 1}) == 0
    assert "has no variant; add the student" in capsys.readouterr().out


@pytest.mark.parametrize(
    "mistake",
    [
        ("tasks = [", "must be a TOML file"),
        ("", "week3.toml: the plan must ask something"),
        ("checks = 'no'\n" + PLAN, "checks must be of type bool, got str"),
        ("partial = 2\n" + PLAN, "partial must be from 0 to 1, got 2"),
        (
            'tasks = ["c3-dleta"]',
            "a task of tasks must be .* 'c3-delta'.*got 'c3-dleta'",
        ),
        ('tasks = ["gain", "gain"]', "tasks must name each task once"),
        (PLAN + "[points]\nh4-formula = -1", "points of h4-formula must be"),
        (PLAN + "[[pools]]\nobjective = 'nothing'", "objective must be one of"),
        (PLAN + "[[pools]]\ntasks = ['gain']", "points must be a"),
        (PLAN + "[[pools]]\ntasks = ['gain']\ndraw = 2", "as many tasks as are drawn"),
        (PLAN + "[variants]\ncount = 100000000", "count must be .*1000, got 100000000"),
        ("seed = 1\n" + PLAN, "a key of the plan must be .*'tasks', .*got 'seed'"),
        (PLAN, r"must have a column id, got the columns \['name'\]", "name\nanna"),
        (PLAN, "each id must be a name of its own", "id\n../anna"),
        (PLAN, "must list students, got none", "id\n"),
    ],
)
def test_a_plan_or_a_roster_with_a_mistake_is_told_and_nothing_is_written(
    mistake, tmp_path, capsys
):
    text, message, *roster = mistake
    files = {"roster": roster[0]} if roster else {}
    code_, out = assigned(tmp_path, text, **files)
    assert code_ == 2
    assert re.search(message, capsys.readouterr().err)
    assert not out.exists()


def test_variants_need_a_roster_and_a_dry_run_writes_nothing(tmp_path, capsys):
    path = written(tmp_path, filled("plan.toml"))
    assert main(["assign", str(path), str(tmp_path / "out")]) == 2
    assert "a plan with 3 variants needs a roster" in capsys.readouterr().err
    code_, out = assigned(tmp_path, PLAN, "--dry-run")
    assert (code_, out.exists()) == (0, False)
    assert "handout/week3/anna.ipynb" in capsys.readouterr().out
    assert main(["assign", "--list"]) == 0
    listed = capsys.readouterr().out
    marked = re.findall(r"min  ([\w-]+): .*\(in no notebook\)$", listed, flags=re.M)
    assert {*marked} == {id_ for id_, task in tasks().items() if not task.in_course}
