"""Grading a class: what a teacher does, in one go, and what hostile answers can do to it.

With STBP_EXAMPLES=full every hostile answer is tried, and every wrong answer of the tables.
"""

import csv
import json
import os
import tomllib
from pathlib import Path

import pytest

from stbp_edu.cli.main import main
from stbp_edu.practice.feedback import Feedback
from stbp_edu.practice.saved_progress import FILE
from stbp_edu.practice.tasks import misconceptions, tasks
from stbp_edu.practice.tasks.catalogue import edited
from stbp_edu.teaching import class_report, gradebook
from stbp_edu.teaching import judge as judging
from stbp_edu.teaching.class_report import page, topics
from stbp_edu.teaching.judge import judge
from stbp_edu.teaching.notebooks import code, notebook
from stbp_edu.teaching.problem_set import ProblemSet, read_problem_set
from stbp_edu.teaching.student_function import Limits
from stbp_edu.teaching.submissions import Submission, found_in, graded
from tests.system_tools import needed

pytestmark = pytest.mark.slow  # each answer is judged in a process of its own
HOSTILE = tomllib.loads(
    Path(__file__).with_name("hostile.toml").read_text(encoding="utf-8")
)
"""What each does, and the code in place of an answer."""
FULL = os.environ.get("STBP_EXAMPLES", "quick") == "full"
FEW = [
    "an endless loop",
    "a patched NumPy",
    "a catalogue found by name",
    "another's folder",
]
IDS, MISTAKE = ["gain", "h4-formula"], "missing-half"
GAIN = tasks()["gain"]
RIGHT = code(GAIN)


def handed_in(notebook, answers):
    """Return a student's notebook with these answers in place of the stubs, by task."""
    book = json.loads(notebook)
    cells = {cell["id"]: cell for cell in book["cells"]}
    for id_, answer in answers.items():
        cells[f"{id_.replace('-', '_')}-answer"]["source"] = answer
    return json.dumps(book)


def hostile(id_, what, folder):
    """Return one of the hostile answers to an exercise."""
    exercise = tasks()[id_]
    head = code(exercise).partition("def ")[2].partition(":")[0]
    arguments = ", ".join(exercise.arguments)
    text = HOSTILE[what]
    for name, value in (
        ("head", head),
        ("id", id_),
        ("arguments", arguments),
        ("folder", folder),
    ):
        text = text.replace(f"{{{name}}}", str(value))
    return text


def classroom(folder, notebook, ids, mistake):
    """Write a class: right answers, odd files, and one hostile in a task, mistaken in another."""
    solved = handed_in(notebook, {id_: code(tasks()[id_]) for id_ in ids})
    book = json.loads(solved)
    for cell in book[
        "cells"
    ]:  # every test cell says right, and check is another function
        if cell["id"].endswith("-check"):
            cell["source"] = "check = lambda *_: 'right'\nprint('right')"
    body = next(m.body for m in tasks()[ids[1]].mistakes if m.id == mistake)
    own = {
        ids[0]: hostile(ids[0], "the word right", folder),
        ids[1]: code(tasks()[ids[1]], body),
    }
    files = {"right": solved, "changed-tests": json.dumps(book), "empty": notebook}
    files |= {"no-notebook": "this is not a notebook", "half": solved[:3000]}
    files["hostile"] = handed_in(notebook, own)
    folder.mkdir()
    for name, text in files.items():
        (folder / f"{name}.ipynb").write_text(text)


def grade(base, *more):
    folders = [
        str(base / "in"),
        "--plan",
        str(base / "plan.toml"),
        "--out",
        str(base / "out"),
    ]
    needed("bwrap")
    return main(["grade", *folders, "--seconds", "20" if FULL else "5", *more])


def rows(path):
    with path.open() as file:
        return list(csv.DictReader(file))


def test_a_teacher_grades_a_class_and_reads_its_mistakes(tmp_path, capsys):
    (tmp_path / "plan.toml").write_text(f"title = 'Week 3'\ntasks = {IDS}")
    assert main(["assign", str(tmp_path / "plan.toml"), str(tmp_path / "set")]) == 0
    book = (tmp_path / "set/student/week-3.ipynb").read_text()
    classroom(tmp_path / "in", book, IDS, MISTAKE)
    (tmp_path / "in" / "other-set.ipynb").write_text(book.replace("Week 3", "Week 9"))
    (tmp_path / "in" / "anna.py").write_text(RIGHT)
    history = {IDS[1]: {"attempts": 4, "mistakes": {MISTAKE: 1, "made up": 2}}}
    for name in ("bea", "cy"):
        (tmp_path / "in" / name).mkdir()
        saved = {IDS[1]: "right", "history": history}
        FILE.write(tmp_path / "in" / name / "progress.json", saved)
    before = {p: p.read_bytes() for p in (tmp_path / "in").rglob("*.ipynb")}
    assert grade(tmp_path, "--dry-run") == 0
    out = tmp_path / "out"
    assert not out.exists()
    assert grade(tmp_path, "--processes", "2") == 1
    said = capsys.readouterr().out
    assert before == {p: p.read_bytes() for p in (tmp_path / "in").rglob("*.ipynb")}
    by_author = {row["author"]: row for row in rows(out / "grades.csv")}
    assert len(by_author) == 8
    problems = {
        "half": "it is no notebook: not what Jupyter",
        "other-set": "it is of the problem",
    }
    problems |= {"no-notebook": problems["half"], "anna": "it is a file .py"}
    for author, row in by_author.items():
        assert row["problem"].startswith(problems.get(author, "")), author
        right = author in ("right", "changed-tests")
        assert (row["total"] == row["of"]) == (right or author in problems), author
        assert right or author in problems or row["gain"] == "0", author
    assert by_author["changed-tests"]["remark"] == "look at its code: check ="
    assert by_author["right"]["remark"] == ""
    answers = {(row["author"], row["task"]): row for row in rows(out / "answers.csv")}
    row = answers["hostile", IDS[1]]
    assert row["state"] == "wrong"
    assert MISTAKE in row["mistakes"].split()
    row = answers["bea", IDS[1]]
    assert (row["by"], row["state"]) == ("the student's own report", "right")
    assert (
        "not graded: cy/progress.json: it is the same file of progress as bea/pro"
        in said
    )
    assert (out / "mistakes.html").read_text().count("(self-reported)") == 1
    half = tasks()[IDS[1]].minutes / 2
    assert float(by_author["hostile"][IDS[1]]) == half
    assert (
        f"<code>{IDS[1]}</code>: wrong, {half:g} of"
        in (out / "feedback/hostile.html").read_text()
    )
    assert said.count("to discuss: ") == 1


def test_older_reports_are_replaced_where_the_teacher_says_so(tmp_path, capsys):
    (tmp_path / "plan.toml").write_text("title = 'W'\ntasks = ['h4-formula']")
    (tmp_path / "in").mkdir()
    book = notebook(ProblemSet("W", ["h4-formula"]), 1, "student")
    (tmp_path / "in/anna.ipynb").write_text(book)
    assert grade(tmp_path) == 0
    (tmp_path / "in/anna.ipynb").rename(tmp_path / "in/bo.ipynb")
    assert grade(tmp_path) == 2
    assert "--force" in capsys.readouterr().err
    assert grade(tmp_path, "--force") == 0
    assert [p.name for p in (tmp_path / "out/feedback").iterdir()] == ["bo.html"]


@pytest.mark.parametrize("what", HOSTILE if FULL else FEW)
def test_a_hostile_answer_costs_its_author_the_task_and_nothing_else(what, tmp_path):
    (tmp_path / "theirs").write_text("secret")
    cells = [hostile("gain", what, tmp_path), code(tasks()["cosine"])]
    limits = Limits(seconds=2, memory=512)
    needed("bwrap")
    assert ProblemSet("W", ["gain"]).earned(judge(GAIN, cells, limits)) == 0
    assert judge(tasks()["cosine"], cells, limits).state == "right"
    assert [p.name for p in tmp_path.iterdir()] == ["theirs"]


def test_an_error_of_the_package_costs_one_task(tmp_path, monkeypatch, capsys):
    def failing(task, answer):
        if task is GAIN:
            raise OverflowError("of our own")
        return Feedback(task.id, "right", ("It is.",))

    monkeypatch.setattr(judging, "grade", failing)
    book = tmp_path / "anna.ipynb"
    problem_set = ProblemSet("W", ["gain", "cosine"])
    book.write_text(notebook(problem_set, 1, "student"))
    options = ["5", "512", "unsafe", "", "1", "gain", "cosine"]
    monkeypatch.setattr("sys.argv", ["judge", str(book), *options])
    judging.main()
    first, second = map(json.loads, capsys.readouterr().out.splitlines())
    assert first[:3] == [
        "gain",
        "stopped",
        ["It could not be graded: OverflowError: of our own."],
    ]
    assert second[0] == "cosine"


def times(factor, *before):
    """Return cells with a right answer that takes a factor 1 from the cells before."""
    return [*before, code(GAIN, f"return {factor} * (O_gate + U * dO_gate * h)")]


PUT = "n = {}\ndef put():\n    global m\n    m = n['one'] = 1\ndef both():\n    put()\nboth()"
REGISTERED = """known = {}
def register(f):
    known[f.__name__] = f
    return f
@register
def one():
    return 1
"""
MINE = RIGHT.replace("def gain", "def mine")
LATER = code(GAIN, "return 3").replace("def gain", "def mine")
CELLS = [
    (["%matplotlib inline\nwhile True: pass", RIGHT], "right", ""),
    (
        times("twice(half)", "half = 0.5\ndef twice(x):\n    return x / half"),
        "right",
        "",
    ),
    ([RIGHT, "check = print\ngain = 3", RIGHT, "gain(1, 2)"], "right", ""),
    (["import stbp_edu\nfor h in range(3):\n    stbp_edu.x = h", RIGHT], "right", ""),
    ([RIGHT, "np.testing.assert_allclose(gain(1, 1, 1, 1), 9)"], "right", ""),
    ([RIGHT.replace(" + U * ", "\\\n    % 10**9 + U * ")], "right", ""),
    (times("multiply(1, 1)", "from pylab import *\nfrom numpy import *"), "right", ""),
    (times("n[0]", "m = 0\nm += 1\nn = [m]\nif m:\n    n.sort()"), "right", ""),
    (times("m", "(m := 1)\nprint([m for m in [2]])"), "right", ""),
    (times("m * n['one']", PUT), "right", ""),
    (
        [
            f"count = 0\n{RIGHT.replace('    return', '    global count; count += 1; return')}"
        ],
        "right",
        "",
    ),
    (times("one[0]", "one = np.zeros(1)\nnp.copyto(one, 1)"), "right", ""),
    (times("one[0]", "one = np.zeros(1)\none.fill(1)"), "right", ""),
    (
        times("box.one", "class Box: pass\nbox = Box()\nsetattr(box, 'one', 1)"),
        "right",
        "",
    ),
    (times("known['one']()", REGISTERED), "right", ""),
    (times("m", "m = 2\nwhile True: pass", "m = 1"), "right", ""),
    (times("stbp_edu.LIF()", "import stbp_edu"), "wrong", "NumPy and Python's own"),
    (times("sp.x", "import scipy.sparse as sp"), "wrong", "No module named 'scipy'"),
    (
        ["def gian(U, O_gate, dO_gate, h):\n    return U"],
        "todo",
        "There is `gian`: rename",
    ),
    ([MINE, 'check("gain", mine)\nmine = 3'], "right", ""),
    ([MINE, 'check("gain", lambda *a: -mine(*a))'], "wrong", "-1 times"),
    ([LATER, 'check("gain", mine)', MINE, 'check("gain", mine)'], "right", ""),
    ([code(GAIN, "return 3"), MINE, 'check("gain", mine)'], "wrong", ""),
    ([MINE, 'check("gain", yours)\ncheck("cosine", mine)'], "slip", "There is `mine`"),
    ([], "todo", "There is no `gain`"),
    ([code(GAIN, "return ...")], "todo", ""),
    ([code(GAIN), "import os\nos._exit(0)"], "stopped", "ended its own process"),
    (["def gain(U):\n    return U"], "wrong", "takes 1 positional argument"),
    ([code(GAIN, "return nothing")], "wrong", "name 'nothing' is not defined"),
    ([code(GAIN, "return +")], "wrong", "cannot be read as Python"),
    ([RIGHT.replace("):", ")  # mine")], "slip", "once line 1 ends with `:`"),
    ([RIGHT.replace("* h", "* (h")], "slip", "once line 2 ends with `)`"),
    ([RIGHT.replace("+ U", "+ u")], "slip", "once `u` is `U`"),
    ([RIGHT.replace("* h", "* hh")], "wrong", "name 'hh' is not defined"),
    ([RIGHT.replace("O_gate +", "O_gte +")], "slip", "once `O_gte` is `O_gate`"),
    ([RIGHT.replace("+ U", "+ V")], "wrong", "name 'V' is not defined"),
    ([code(GAIN, f"return {'-' * 3000}h")], "wrong", "cannot be read"),
    (["def gain(U, O_gate, dO_gate, h):\n    O_gate"], "wrong", "returns nothing"),
]
FORMULAS = [
    (['part = "u*df*h"', 'gain_formula = f"f + {part}"'], "right", ""),
    (['gain_formula = "f + %s"\ngain_formula %= "u*df" + "*h"'], "right", ""),
    (
        ["def put():\n    global gain_formula\n    gain_formula = 'f'\nput()"],
        "wrong",
        "Found",
    ),
    (['check_formula("gain", "f + u*df*h")'], "right", ""),
    (['gain_formula = "..."'], "todo", "Type a formula"),
    (["gain_formula = object()"], "wrong", "between quotation marks"),
    (["gain_formula = 1 / 0"], "wrong", "ZeroDivisionError"),
]
ASKED = [
    *(("gain", *row) for row in CELLS),
    *(("gain-formula", *row) for row in FORMULAS),
]


@pytest.mark.parametrize(("id_", "cells", "state", "said"), ASKED)
def test_an_answer_is_found_with_what_it_needs_and_judged(id_, cells, state, said):
    needed("bwrap")
    verdict = judge(tasks()[id_], cells, Limits())
    assert verdict.state == state, verdict
    assert said in " ".join(verdict.message)


CONFUSED = [
    ("c3-epsilon", "epsilon_next => delta_next", "delta-for-epsilon"),
    ("c3-epsilon", "* f => * df", "df-for-f"),
    ("c2-delta-cost", "epsilon_above @ => delta_above @", "delta-for-epsilon"),
    ("c3-epsilon", "* h => * H", "twin-for-h"),
    ("c3-epsilon", "epsilon_next => h_next", None),
]
"""Names of another quantity, which a function does not get; None where no misconception fits."""


@pytest.mark.parametrize(("id_", "edit", "mistake"), CONFUSED)
def test_the_name_of_another_quantity_is_a_misunderstanding(id_, edit, mistake):
    needed("bwrap")
    task = tasks()[id_]
    found = judge(task, [code(task, edited(task.solution, edit))], Limits())
    assert (found.state, found.mistakes) == ("wrong", (mistake,) if mistake else ())


def test_a_notebook_of_the_course_gives_no_points_for_its_own_text(tmp_path):
    needed("bwrap")
    asked = ProblemSet("W", ["c3-epsilon", "c3-epsilon-formula"])
    course = next(Path("notebooks").glob("*_case3.ipynb"))
    book = course.read_text(encoding="utf-8")
    (tmp_path / "anna.ipynb").write_text(book, encoding="utf-8")
    typed = book.replace(
        'my_formula = \\"...\\"', 'my_formula = \\"delta * h + eps_next * f\\"'
    )
    assert typed != book
    read = json.loads(typed)
    read["cells"].append({**read["cells"][-1], "cell_type": "code"})
    read["cells"][-1]["source"] = "check('c3-epsilon', c3_epsilon)"
    (tmp_path / "bo.ipynb").write_text(json.dumps(read), encoding="utf-8")
    anna, bo = graded(asked, tmp_path, Limits(), 1)
    assert [v.state for v in anna.verdicts] == ["todo", "todo"]
    assert 'handed to `check("c3-epsilon", ...)`' in anna.verdicts[0].message[0]
    assert [v.state for v in bo.verdicts] == ["right", "right"]


def test_the_answer_to_another_task_is_not_taken_for_a_mistyped_one():
    needed("bwrap")
    mine = code(tasks()["c3-epsilon"]).replace("c3_epsilon", "my_eps")
    cells = [code(tasks()["c3-delta-open"]), mine]
    found = judge(tasks()["c3-epsilon"], cells, Limits())
    assert (found.state, found.message[0]) == (
        "slip",
        "It is right once `my_eps` is `c3_epsilon`.",
    )


@pytest.mark.parametrize(
    "id_", ["backward", "nudge", "bernoulli", "p2-arrow-count", "sources"]
)
def test_objects_functions_and_random_numbers_reach_an_answer(id_):
    needed("bwrap")
    assert judge(tasks()[id_], [code(tasks()[id_])], Limits()).state == "right"


def wrong(author, task, *mistakes, reported=False):
    verdict = Feedback(task, "wrong", ("said",), mistakes)
    return Submission(author, f"{author}.ipynb", (verdict,), reported=reported)


def test_the_page_ends_with_the_ideas_that_explain_most():
    made = [wrong(f"a{k}", "gain", "missing-leak", "sign") for k in range(2)]
    made += [wrong(f"b{k}", "gain", "sign") for k in range(3)] + [
        wrong("c", "cosine", "sign")
    ]
    made += [wrong("d", "cosine", "missing-root")]
    made += [wrong(f"e{k}", "gain", "missing-root", reported=True) for k in range(9)]
    made += [Submission("e0", "e0.ipynb", (Feedback("gain", "right"),))]
    made += 2 * [wrong("b0", "gain", "missing-root", reported=True)]
    made += [wrong(f"f{k}", "cosine") for k in range(2)] + [wrong("g", "gain")]
    found = topics(made, tasks())
    sign, missing = misconceptions()["sign"], misconceptions()["missing-root"]
    assert [(t.name, t.students, [task.id for task, _ in t.where]) for t in found] == [
        (sign["name"], 6, ["gain", "cosine"]),
        ("an answer without a name", 2, ["cosine"]),
        (missing["name"], 1, ["cosine"]),
    ]
    asked = ProblemSet("<b>Week</b>", ["gain", "cosine"], {"gain": 2.5})
    html = page(asked, made, "https://course.example/")
    lesson = f"{GAIN.notebook:02}_missing_paths"
    for part in (
        *("&lt;b&gt;Week", f'href="https://course.example/notebooks/{lesson}/"'),
        "<td>9</td>",  # one each of those who report themselves and are not graded right
        "<summary>3</summary>b0, b1, b2",
        "6 students.",
    ):
        assert part in html
    assert html.rindex("<h2>") == html.index("<h2>3 ideas to discuss")
    own = class_report.feedback(asked, wrong("anna", "gain"), "https://course.example")
    assert f'href="https://course.example/notebooks/{lesson}/"' in own


def test_two_mistakes_at_once_count_for_both_and_each_has_its_tasks_own_reason():
    verdict = Feedback("c3-delta", "wrong", (), ("sign", "missing-u"), together=True)
    task = tasks()["c3-delta-soft"]
    own = dict(task.notes)
    mistake = next(iter(own))
    made = [Submission("anna", "anna.ipynb", (verdict,))]
    made += [wrong("bo", task.id, mistake)]
    found = {t.name: t for t in topics(made, tasks())}
    names = {m: misconceptions()[m]["name"] for m in ("sign", "missing-u", mistake)}
    assert found.keys() == set(names.values())
    assert (task, own[mistake]) in found[names[mistake]].where
    plan = ProblemSet("W", ["c3-delta"], {"c3-delta": 8})
    assert plan.earned(verdict) == 2
    assert plan.earned(Feedback("c3-delta", "slip")) == 6


def test_a_roster_gives_a_row_to_each_student_and_files_for_gradebooks():
    roster = [
        {"author": "anna", "name": "Anna A", "email": "a@x", "id": "1", "section": ""},
        {"author": "bo", "name": "Bo B", "email": "b@x", "id": "2", "section": ""},
    ]
    asked = ProblemSet("Week", ["gain"], {"gain": 4})
    right = Submission("anna", "anna.ipynb", (Feedback("gain", "right"),))
    older = Submission("anna", "anna (1).ipynb", problem="a newer one counts")
    made = [older, right, wrong("cy", "gain")]
    rows = list(csv.DictReader(gradebook.grades_csv(asked, made, roster).splitlines()))
    assert [(row["author"], row["total"], row["problem"]) for row in rows] == [
        ("anna", "4", ""), ("cy", "0", ""), ("bo", "", "handed nothing in"),
    ]  # fmt: skip
    assert rows[0]["remark"] == "anna (1).ipynb: a newer one counts"
    assert rows[1]["remark"] == "not in the roster"
    moodle = gradebook.moodle_csv(asked, made, roster)
    assert moodle == "Email address,ID number,Week\na@x,1,4\nb@x,2,\n"
    assert gradebook.moodle_csv(asked, made, roster, "0").endswith("b@x,2,0\n")
    canvas = gradebook.canvas_csv(asked, made, roster).splitlines()
    assert canvas[1].endswith(",,,,4")
    assert canvas[2:] == ["Anna A,1,a@x,,4", "Bo B,2,b@x,,"]


def test_a_name_that_a_spreadsheet_would_compute_is_quoted():
    asked, one = ProblemSet("Week", ["gain"]), [wrong("=1+1", "gain")]
    for text in (gradebook.grades_csv(asked, one), class_report.answers_csv(one)):
        assert "\n'=1" in text


def test_files_have_their_authors_and_what_is_no_notebook_is_listed(tmp_path):
    names = (
        "anna.zip",
        "bo/a.json",
        "cy/1.ipynb",
        "cy/2.ipynb",
        ".ipynb_checkpoints/cy.ipynb",
    )
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    for name in ("bo/a.json", "di.json"):
        FILE.write(tmp_path / name, {"gain": "right"})
    (tmp_path / "link.ipynb").symlink_to(tmp_path / "anna.zip")
    assert list(found_in(tmp_path).values()) == ["anna", "bo", "cy", "cy", "di", "link"]
    every = graded(ProblemSet("W", ["gain"]), tmp_path, Limits(), 1)
    found = {s.file: s.problem for s in every}
    assert found["bo/a.json"] == ""
    assert "the same file of progress as bo/a.json" in found["di.json"]
    assert "a file .zip" in found["anna.zip"]
    assert "a link" in found["link.ipynb"]
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="must hold notebooks or files of progress"):
        found_in(tmp_path / "empty")


@pytest.mark.parametrize(
    ("authors", "variant", "said"),
    [
        ("", 2, "as the notebook itself says"),
        ("anna = 1", 1, "its variant is 1, and it says 2"),
    ],
)
def test_a_notebook_is_of_the_variant_that_the_plan_says(
    authors, variant, said, tmp_path
):
    plan = tmp_path / "plan.toml"
    head = "title = 'Week'\ntasks = ['h4-formula']\n[variants]\ncount = 2\n"
    plan.write_text(f"{head}[variants.authors]\n{authors}")
    asked = read_problem_set(plan)
    (tmp_path / "in/anna").mkdir(parents=True)
    for k in (1, 2):
        (tmp_path / f"in/anna/{k}.ipynb").write_text(notebook(asked, 2, "teacher"))
    os.utime(tmp_path / "in/anna/1.ipynb", (1, 1))
    older, one = graded(asked, tmp_path / "in", Limits(), 2)
    assert (older.problem, older.verdicts) == ("a newer one counts, anna/2.ipynb", ())
    assert (one.author, one.variant, said in one.remark) == ("anna", variant, True)


def test_a_copy_of_a_notebook_whose_variant_is_anothers_is_marked(tmp_path):
    needed("bwrap")
    asked = ProblemSet("Week", ["h4-formula"], count=3)
    for author, variant in (("anna", 1), ("bo", 2), ("kim", 1)):
        book = notebook(asked, variant, "teacher")
        (tmp_path / f"{author}.ipynb").write_text(book)
    remarks = [s.remark for s in graded(asked, tmp_path, Limits(), 1)]
    assert [remark.partition("; ")[2] for remark in remarks] == [
        "the same variant as kim", "", "the same variant as anna",
    ]  # fmt: skip


def test_texts_that_utf8_cannot_hold_and_names_that_clash_lose_no_report(
    tmp_path, capsys
):
    (tmp_path / "plan.toml").write_text("title = 'W'\ntasks = ['gain']")
    book = notebook(ProblemSet("W", ["gain"]), 1, "teacher")
    raising = book.replace("return ", "raise ValueError('\\\\ud800') #")
    assert "ud800" in raising
    for name in (b"\xff.ipynb", b"a.ipynb", b"a.html/b.ipynb"):
        path = tmp_path / "in" / os.fsdecode(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(raising)
    assert grade(tmp_path, "--dry-run") == 0
    assert grade(tmp_path) == 1
    assert "not written: feedback/a.html:" in capsys.readouterr().out
    assert (
        "It raises ValueError: \\ud800."
        in (tmp_path / "out" / "answers.csv").read_text()
    )
    assert (tmp_path / "out" / "feedback" / os.fsdecode(b"\xff.html")).exists()
    assert "\\udcff.ipynb" in (tmp_path / "out" / "grades.csv").read_text()
