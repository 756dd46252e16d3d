"""Submissions to a problem set, as students hand them in: right, with a mistake, and hostile."""

import json

from stbp_edu.practice.tasks import tasks
from stbp_edu.teaching.notebooks import code

HOSTILE = {
    "an endless loop": "def {head}:\n    while True:\n        pass",
    "a fork bomb": "import os\ndef {head}:\n    while True:\n        os.fork()",
    "threads without end": (
        "import threading\ndef {head}:\n    while True:\n"
        "        threading.Thread(target=lambda: None).start()"
    ),
    "a gigabyte of output": "def {head}:\n    while True:\n        print('right' * 10**6)",
    "all the memory": "def {head}:\n    return [bytearray(10**8) for _ in range(10**4)]",
    "a huge answer": "def {head}:\n    return np.zeros(10**9)",
    "a number without end": "def {head}:\n    return 10**5000",
    "the end of the process": "import os\ndef {head}:\n    os._exit(0)",
    "the end of its judge": "import os\ndef {head}:\n    os.kill(os.getppid(), 9)",
    "an imported catalogue": (
        "from stbp_edu.practice.tasks import exercises\ndef {head}:\n"
        "    return exercises()['{id}'].answer({arguments})"
    ),
    "a catalogue found by name": (
        "def {head}:\n    import importlib\n"
        "    found = importlib.import_module('stbp_edu.practice.tasks')\n"
        "    return found.exercises()['{id}'].answer({arguments})"
    ),
    "a forged message": (
        "import os\ndef {head}:\n    for fd in range(64):\n        try:\n"
        "            os.write(fd, b'\\0' * 7 + b'\\x09[\"right\"]')\n"
        "        except OSError:\n            pass"
    ),
    "a flood of messages": (
        "import os\ndef {head}:\n    for fd in range(64):\n        try:\n"
        "            while True:\n                os.write(fd, b'\\xff' * 10**6)\n"
        "        except OSError:\n            pass"
    ),
    "another's folder": (
        "import os\ndef {head}:\n"
        "    return open(os.path.join('{folder}', os.listdir('{folder}')[0])).read()"
    ),
    "a file of its own": "def {head}:\n    open('{folder}/mine', 'w').write('x')",
    "a program": "import os\ndef {head}:\n    os.system('touch {folder}/mine')",
    "the network": "import socket\ndef {head}:\n    socket.create_connection(('127.0.0.1', 80))",
    "names taken from its guard": (
        "import builtins, os, sys\ndef {head}:\n    guard = sys.modules['__main__']\n"
        "    guard.REFUSED = guard.FOREIGN = ()\n    builtins.str = builtins.isinstance = print\n"
        "    os.system('touch {folder}/mine')"
    ),
    "a path that lies": (
        "class Path(str):\n    def startswith(self, *_):\n        return True\n"
        "def {head}:\n    return open(Path('{folder}/theirs')).read()"
    ),
    "the catalogue's file": (
        "import os, sys\ndef {head}:\n    for place in sys.path:\n"
        "        path = place + '/stbp_edu/practice/tasks/content/misconceptions.toml'\n"
        "        if os.path.exists(path):\n            return open(path).read()"
    ),
    "an object that equals all": (
        "class All:\n    def __eq__(self, other):\n        return True\n"
        "    def __getattr__(self, name):\n        return self\n"
        "def {head}:\n    return All()"
    ),
    "no Python": "def {head}:\n    return (",
    "the word right": "def {head}:\n    print('{id}: right.')\n    return 'right'",
}
"""What each does, and the code in place of an answer."""


def handed_in(notebook, answers):
    """Return a student's notebook with these answers in place of the stubs, by task."""
    book = json.loads(notebook)
    for id_, answer in answers.items():
        name = id_.replace("-", "_")
        (cell,) = (c for c in book["cells"] if c["id"] == f"{name}-answer")
        cell["source"] = answer
    return json.dumps(book)


def hostile(id_, what, folder):
    """Return one of the hostile answers to an exercise."""
    exercise = tasks()[id_]
    head = code(exercise).partition("def ")[2].partition(":")[0]
    filled = {"head": head, "id": id_, "arguments": ", ".join(exercise.arguments)}
    text = HOSTILE[what]
    for name, value in {**filled, "folder": str(folder)}.items():
        text = text.replace(f"{{{name}}}", value)
    return text


def classroom(folder, notebook, ids, mistakes, names=tuple(HOSTILE), right=6):
    """Write a class: right answers, four odd files, and students with one answer that is hostile.

    Args:
        folder: where they are handed in.
        notebook: the student's notebook, as text.
        ids: its tasks; the first is an exercise.
        mistakes: for each further task, the misconceptions that the hostile make in turn.
        names: which hostile answers.
        right: how many students are right.
    """
    solved = handed_in(notebook, {id_: code(tasks()[id_]) for id_ in ids})
    folder.mkdir()
    for k in range(right):
        (folder / f"right-{k}.ipynb").write_text(solved)
    (folder / "empty.ipynb").write_text(notebook)
    (folder / "no-notebook.ipynb").write_text("this is not a notebook")
    (folder / "half.ipynb").write_text(solved[:3000])
    book = json.loads(solved)
    for cell in book["cells"]:  # every test cell says right, and check is another function
        if cell["id"].endswith("-check"):
            cell["source"] = "check = lambda *_: 'right'\nprint('right')"
    (folder / "changed-tests.ipynb").write_text(json.dumps(book))
    for k, what in enumerate(names):
        answers = {ids[0]: hostile(ids[0], what, folder)}
        for id_ in ids[1:]:
            bodies = {None: None, **{m.id: m.body for m in tasks()[id_].mistakes}}
            made = mistakes[id_][k % len(mistakes[id_])]
            answers[id_] = code(tasks()[id_], bodies[made])
        (folder / f"{what.replace(' ', '-')}.ipynb").write_text(handed_in(notebook, answers))
