"""Submissions to a problem set, as students hand them in: right, with a mistake, and hostile."""

import json
import tomllib
from pathlib import Path

from stbp_edu.practice.tasks import tasks
from stbp_edu.teaching.notebooks import code

HOSTILE = tomllib.loads(Path(__file__).with_name("hostile.toml").read_text(encoding="utf-8"))
"""What each does, and the code in place of an answer."""


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
    for name, value in (("head", head), ("id", id_), ("arguments", arguments), ("folder", folder)):
        text = text.replace(f"{{{name}}}", str(value))
    return text


def classroom(folder, notebook, ids, mistake):
    """Write a class: right answers, odd files, and one hostile in a task, mistaken in another."""
    solved = handed_in(notebook, {id_: code(tasks()[id_]) for id_ in ids})
    book = json.loads(solved)
    for cell in book["cells"]:  # every test cell says right, and check is another function
        if cell["id"].endswith("-check"):
            cell["source"] = "check = lambda *_: 'right'\nprint('right')"
    body = next(m.body for m in tasks()[ids[1]].mistakes if m.id == mistake)
    own = {ids[0]: hostile(ids[0], "the word right", folder), ids[1]: code(tasks()[ids[1]], body)}
    files = {"right": solved, "changed-tests": json.dumps(book), "empty": notebook}
    files |= {"no-notebook": "this is not a notebook", "half": solved[:3000]}
    files["hostile"] = handed_in(notebook, own)
    folder.mkdir()
    for name, text in files.items():
        (folder / f"{name}.ipynb").write_text(text)
