"""Grading a class: what a teacher does, in one go, and what hostile answers can do to it.

With STBP_EXAMPLES=full the class has thirty students, every hostile answer is tried, and so is
every wrong answer of the tables; else a few.
"""

import csv
import os

import pytest

from stbp_edu.cli.main import main
from stbp_edu.practice.saved_progress import FILE
from stbp_edu.practice.tasks import tasks
from stbp_edu.teaching.class_report import answers_csv, grades_csv, page, topics
from stbp_edu.teaching.judge import Limits, Verdict, judge
from stbp_edu.teaching.marking import Submission, found_in, graded
from stbp_edu.teaching.notebooks import as_notebook, code, teacher
from stbp_edu.teaching.problem_set import ProblemSet, read_problem_set
from tests.teaching.submissions import HOSTILE, classroom, hostile

pytestmark = pytest.mark.slow  # each answer is judged in a process of its own
FULL = os.environ.get("STBP_EXAMPLES", "quick") == "full"
FEW = ["an endless loop", "a catalogue found by name", "names taken from its guard"]
IDS = (
    ["c3-delta", "c3-epsilon-formula", "c4-delta", "c5-w", "gain"]
    if FULL
    else ["gain", "h4-formula"]
)
MADE = (
    {
        "c4-delta": ["missing-gate", "transposed-W", None],
        "c5-w": ["mean-for-sum", None, "transposed"],
        "gain": ["reset-detached", None],
        "c3-epsilon-formula": ["classic", None, "missing-leak"],
    }
    if FULL
    else {"h4-formula": ["missing-half"]}
)
HELPERS = "import math\nhalf = 0.5\ndef twice(x):\n    return x / half\n"
GAIN = tasks()["gain"]
RIGHT = code(GAIN)
TIMES = "return {} * (O_gate + U * dO_gate * h)"


def test_a_teacher_releases_a_problem_set_and_reads_the_mistakes_of_the_class(tmp_path, capsys):
    plan = tmp_path / "plan.toml"
    plan.write_text(f"title = 'Week 3'\ntasks = {IDS}")
    assert main(["assign", str(plan), str(tmp_path / "set")]) == 0
    notebook = (tmp_path / "set/student/week-3.ipynb").read_text()
    names = list(HOSTILE) if FULL else ["the word right"]
    classroom(tmp_path / "in", notebook, IDS, MADE, names, right=3 if FULL else 1)
    (tmp_path / "in" / "other-set.ipynb").write_text(notebook.replace("Week 3", "Week 9"))
    (tmp_path / "in" / "anna.py").write_text(RIGHT)
    (tmp_path / "in" / "bea").mkdir()
    history = {IDS[1]: {"attempts": 4, "mistakes": {MADE[IDS[1]][0]: 1, "made up": 2}}}
    FILE.write(tmp_path / "in" / "bea" / "progress.json", {IDS[1]: "right", "history": history})
    before = {p: p.read_bytes() for p in (tmp_path / "in").rglob("*.ipynb")}
    out = tmp_path / "out"
    told = ["grade", str(tmp_path / "in"), "--plan", str(plan), "--out", str(out)]
    capsys.readouterr()
    assert main([*told, "--dry-run"]) == 0
    assert not out.exists()
    assert main([*told, "--seconds", "20" if FULL else "5", "--processes", "2"]) == 1
    said = capsys.readouterr().out
    assert before == {p: p.read_bytes() for p in (tmp_path / "in").rglob("*.ipynb")}
    with (out / "grades.csv").open() as file:
        rows = {row["author"]: row for row in csv.DictReader(file)}
    assert len(rows) == (32 if FULL else 8)
    for author, row in rows.items():
        if author.startswith(("right", "changed")):
            assert row["total"] == row["of"], author
        elif author in ("half", "no-notebook"):
            assert "it is no notebook: not what Jupyter saves" in row["problem"]
        elif author == "empty":
            assert row["total"] == "0"
        elif author == "other-set":
            assert row["problem"] == "it is of the problem set 'Week 9'"
        elif author == "anna":
            assert row["problem"].startswith("it is a file .py")
        else:
            assert row[IDS[0]] == "0", author
    with (out / "answers.csv").open() as file:
        answers = list(csv.DictReader(file))
    for k, what in enumerate(names):
        for id_ in IDS[1:]:
            made = MADE[id_][k % len(MADE[id_])]
            author = what.replace(" ", "-")
            (row,) = (a for a in answers if a["author"] == author and a["task"] == id_)
            assert row["state"] == ("wrong" if made else "right"), (author, id_)
            assert made is None or made in row["mistakes"].split()
    (row,) = (a for a in answers if a["author"] == "bea" and a["task"] == IDS[1])
    assert (row["by"], row["state"]) == ("the student's own report", "right")
    assert "self-reported" in (out / "mistakes.html").read_text()
    name = names[0].replace(" ", "-")
    assert float(rows[name][IDS[1]]) == tasks()[IDS[1]].minutes / 2
    told = (out / "feedback" / f"{name}.md").read_text()
    assert f"`{IDS[1]}`: wrong, {tasks()[IDS[1]].minutes / 2:g} of" in told
    assert main(["grade", str(tmp_path / "in"), "--plan", str(plan), "--out", str(out)]) == 2
    assert "--force" in capsys.readouterr().err
    assert said.count("to discuss: ") == (3 if FULL else 1)


@pytest.mark.parametrize("what", HOSTILE if FULL else FEW)
def test_a_hostile_answer_costs_its_author_the_task_and_nothing_else(what, tmp_path):
    (tmp_path / "theirs").write_text("secret")
    cells = [hostile("gain", what, tmp_path), code(tasks()["cosine"])]
    limits = Limits(seconds=2, memory=512)
    assert judge(GAIN, cells, limits).state != "right"
    assert judge(tasks()["cosine"], cells, limits).state == "right"
    assert [p.name for p in tmp_path.iterdir()] == ["theirs"]


@pytest.mark.parametrize(
    ("cells", "state", "said"),
    [
        (["%matplotlib inline\nwhile True: pass", RIGHT], "right", ""),
        ([HELPERS, RIGHT.replace("return ", "return twice(half) * ")], "right", ""),
        ([RIGHT, "check = print\ngain = 3", RIGHT], "right", ""),
        (["import stbp_edu", RIGHT], "right", ""),
        ([code(GAIN, "return stbp_edu.LIF()"), "import stbp_edu"], "refused", "imports stbp_edu"),
        ([], "todo", "There is no `gain`"),
        ([code(GAIN, "return ...")], "todo", "not"),
        ([code(GAIN, "raise NotImplementedError; return 0")], "todo", ""),
        (["def gain(U):\n    return U"], "wrong", "takes 1 positional argument"),
        (["gain = 3"], "wrong", "not callable"),
        ([code(GAIN, "return nothing")], "wrong", "NameError: nothing"),
        ([code(GAIN, "return (")], "wrong", "cannot be read as Python"),
        ([code(GAIN, f"return {'-' * 3000}h")], "wrong", "cannot be read"),
        ([RIGHT.replace(" + U * ", "\\\n    % 10**9 + U * ")], "right", ""),
        (
            [
                "from pylab import *\nfrom numpy import *",
                code(GAIN, TIMES.format("multiply(1, 1)")),
            ],
            "right",
            "",
        ),
        (["m = {}\nm['one'] = 1", code(GAIN, TIMES.format("m['one']"))], "right", ""),
        (
            ["m = []\nfor k in range(3):\n    m.append(k)", code(GAIN, TIMES.format("m[1]"))],
            "right",
            "",
        ),
        (
            ["m = 0\nm += 1\nn = [m]\nif m:\n    n.sort()", code(GAIN, TIMES.format("n[0]"))],
            "right",
            "",
        ),
        (["(m := 1)\nprint([m for m in [2]])", code(GAIN, TIMES.format("m"))], "right", ""),
        (
            [
                "n = {}\ndef put():\n    global m\n    m = n['one'] = 1\n"
                "def both():\n    put()\nboth()",
                code(GAIN, TIMES.format("m * n['one']")),
            ],
            "right",
            "",
        ),
        (["import stbp_edu\nfor h in range(3):\n    stbp_edu.x = h", RIGHT], "right", ""),
        ([RIGHT, "np.testing.assert_allclose(gain(1, 1, 1, 1), 9)"], "right", ""),
        (
            ["def gain(U, O_gate, dO_gate, h):\n    O_gate + U * dO_gate * h"],
            "wrong",
            "returns nothing",
        ),
        (
            [code(GAIN, "import subprocess\nreturn 0")],
            "refused",
            "an answer may not import this module",
        ),
        (
            [code(GAIN, "import inspect\nreturn inspect.stack()")],
            "refused",
            "may not read or write",
        ),
    ],
)
def test_an_answer_is_found_with_what_it_needs_and_judged(cells, state, said):
    verdict = judge(GAIN, cells, Limits())
    assert verdict.state == state, verdict
    assert said in " ".join(verdict.message) or state == "todo"


@pytest.mark.parametrize(
    ("cells", "state"),
    [
        (['part = "u*df*h"', 'gain_formula = f"f + {part}"'], "right"),
        (['gain_formula = "f + "\ngain_formula += "u*df" + "*h"'], "right"),
        (['gain_formula = "".join(["f + ", "*".join(("u", "df", "h"))])'], "right"),
        (['(gain_formula := "f + u*df*h")'], "right"),
        (["def put():\n    global gain_formula\n    gain_formula = 'f'\nput()"], "wrong"),
        (['gain_formula = "f + %s" % "u*df*h"'], "wrong"),
        (['a = ""\n' + "a = a + a\n" * 3000 + 'gain_formula = a + "f + u*df*h"'], "right"),
        (['a = "u"\n' + "a = a + a\n" * 3000 + "gain_formula = a"], "wrong"),
    ],
)
def test_a_formula_is_put_together_from_texts_and_nothing_is_run(cells, state):
    verdict = judge(tasks()["gain-formula"], cells, Limits())
    assert verdict.state == state
    assert state == "right" or "between quotation marks" in verdict.message[0]


@pytest.mark.parametrize("id_", ["backward", "nudge", "bernoulli", "p2-arrow-count", "sources"])
def test_objects_functions_and_random_numbers_reach_an_answer(id_):
    assert judge(tasks()[id_], [code(tasks()[id_])], Limits()).state == "right"


@pytest.mark.slow
@pytest.mark.skipif(not FULL, reason="STBP_EXAMPLES=full judges every listed wrong answer")
def test_the_judge_names_the_listed_mistakes():
    listed = [(t, m) for t in tasks().values() for m in t.mistakes]
    found = [m.id in judge(t, [code(t, m.body)], Limits(30)).mistakes for t, m in listed]
    assert sum(found) >= 0.95 * len(listed)
    assert all(judge(t, [code(t)], Limits(30)).state == "right" for t in tasks().values())


def wrong(author, task, *mistakes, reported=False):
    verdict = Verdict(task, "wrong", mistakes, ("said",))
    return Submission(author, f"{author}.ipynb", (verdict,), reported=reported)


def test_the_page_ends_with_the_mistakes_that_explain_most():
    made = [wrong(f"a{k}", "gain", "missing-leak", "sign") for k in range(2)]
    made += [wrong(f"b{k}", "gain", "sign") for k in range(3)] + [wrong("c", "cosine", "sign")]
    made += [wrong("d", "cosine", "missing-root")]
    made += [wrong(f"e{k}", "gain", "missing-root", reported=True) for k in range(9)]
    made += [Submission("e0", "e0.ipynb", (Verdict("gain", "right"),))]
    made += 2 * [wrong("b0", "gain", "missing-root", reported=True)]
    found = topics(made)
    assert [(t.id, t.students, t.tasks) for t in found] == [
        ("sign", 6, ["gain", "cosine"]),
        ("missing-root", 1, ["cosine"]),
    ]
    asked = ProblemSet("<b>Week</b>", ["gain", "cosine"], {"gain": 2.5})
    html = page(asked, made, "https://course.example/")
    assert "&lt;b&gt;Week" in html
    lesson = f"{GAIN.notebook:02}_missing_paths"
    assert f'href="https://course.example/notebooks/{lesson}/"' in html
    assert html.rindex("<h2>") == html.index("<h2>2 misconceptions to discuss")
    assert "<td>9</td>" in html, "one each of those who report themselves and are not judged right"
    assert "<summary>3</summary>b0, b1, b2" in html
    assert "6 students, in <code>gain</code>, <code>cosine</code>" in html


def test_a_name_that_a_spreadsheet_would_compute_is_quoted():
    asked = ProblemSet("Week", ["gain"])
    for text in (grades_csv(asked, [wrong("=1+1", "gain")]), answers_csv([wrong("=1", "gain")])):
        assert "\n'=1" in text


def test_files_have_their_authors(tmp_path):
    for name in ("anna.ipynb", "bo/ps.ipynb", "bo/progress.json", "cy/1.ipynb", "cy/2.ipynb"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "link.ipynb").symlink_to(tmp_path / "anna.ipynb")
    (tmp_path / ".ipynb_checkpoints").mkdir()
    (tmp_path / ".ipynb_checkpoints" / "anna.ipynb").touch()
    (tmp_path / "empty").mkdir()
    assert sorted(found_in(tmp_path).values()) == ["anna", "bo", "bo", "cy/1", "cy/2", "link"]
    with pytest.raises(ValueError, match="must hold notebooks or files of progress"):
        found_in(tmp_path / "empty")


@pytest.mark.parametrize(
    ("authors", "variant", "said"),
    [({}, 2, "as the notebook itself says"), ({"anna": 1}, 1, "its variant is 1, and it says 2")],
)
def test_a_notebook_is_of_the_variant_that_the_plan_says(authors, variant, said, tmp_path):
    table = "".join(f"{name} = {k}\n" for name, k in authors.items())
    plan = tmp_path / "plan.toml"
    plan.write_text(
        "title = 'Week'\ntasks = ['h4-formula']\n[variants]\ncount = 2\n"
        f"[variants.authors]\n{table}"
    )
    asked = read_problem_set(plan)
    (tmp_path / "in/anna").mkdir(parents=True)
    for k in (1, 2):
        (tmp_path / f"in/anna/{k}.ipynb").write_text(as_notebook(asked, 2, teacher(asked, 2)))
    found = [*graded(asked, plan, tmp_path / "in", Limits(), 2)]
    assert all("one of 2 notebooks of anna" in s.remark for s in found)
    (tmp_path / "in/anna/1.ipynb").unlink()
    (one,) = graded(asked, plan, tmp_path / "in", Limits(), 2)
    assert (one.author, one.variant, said in one.remark) == ("anna", variant, True)


def test_texts_that_utf8_cannot_hold_and_names_that_clash_lose_no_report(tmp_path, capsys):
    plan, asked = tmp_path / "plan.toml", ProblemSet("W", ["gain"])
    plan.write_text("title = 'W'\ntasks = ['gain']")
    raising = as_notebook(asked, 1, teacher(asked, 1)).replace(
        "return ", "raise ValueError('\\\\ud800') #"
    )
    assert "ud800" in raising
    for name in (b"\xff.ipynb", b"a.ipynb", b"a.md/b.ipynb"):
        path = tmp_path / "in" / os.fsdecode(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(raising)
    told = ["grade", str(tmp_path / "in"), "--plan", str(plan), "--out", str(tmp_path / "out")]
    assert main([*told, "--dry-run"]) == 0
    assert main(told) == 1
    assert "no feedback could be written for a.md/b.ipynb" in capsys.readouterr().out
    assert "It raises ValueError: \\ud800." in (tmp_path / "out" / "answers.csv").read_text()
    assert (tmp_path / "out" / "feedback" / "\\udcff.md").exists()
    assert "\\udcff.ipynb" in (tmp_path / "out" / "grades.csv").read_text()


def test_what_is_no_notebook_is_listed_and_progress_counts_once(tmp_path):
    (tmp_path / "bo").mkdir()
    for name in ("a.json", "b.json"):
        FILE.write(tmp_path / "bo" / name, {"gain": "right"})
    (tmp_path / "anna.zip").touch()
    (tmp_path / "link.ipynb").symlink_to(tmp_path / "anna.zip")
    found = {
        s.file: s.problem
        for s in graded(ProblemSet("W", ["gain"]), tmp_path, tmp_path, Limits(), 1)
    }
    assert found["bo/a.json"] == ""
    assert "came twice" in found["bo/b.json"]
    assert "a file .zip" in found["anna.zip"]
    assert "a link" in found["link.ipynb"]
