"""The wall alone: what an answer may try, and that it reaches nothing."""

import os
import socket
import threading
import tomllib
from pathlib import Path

import pytest

from stbp_edu.cli.main import main
from stbp_edu.practice.tasks import tasks
from stbp_edu.teaching import wall
from stbp_edu.teaching.judge import judge
from stbp_edu.teaching.student_function import Limits
from tests.system_tools import needed

pytestmark = pytest.mark.slow  # each answer is judged in a process of its own
ESCAPES = tomllib.loads(Path(__file__).with_name("escapes.toml").read_text("utf-8"))
"""What each tries, and its code."""
SECRET = "what another student wrote"
RUN = "\ndef gain(U, O_gate, dO_gate, h):\n    raise ValueError(attempt())\n"


@pytest.fixture
def server():
    """Serve the secret on a port of this machine."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve():
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                connection.sendall(SECRET.encode())
                connection.close()

        threading.Thread(target=serve, daemon=True).start()
        yield listening.getsockname()[1]


def attempted(what, folder, port, *, unsafe):
    """Return the verdict on an answer that attempts an escape, and what is in the folder then."""
    theirs, mine = folder / "theirs.ipynb", folder / "mine"
    theirs.write_text(SECRET)
    text = ESCAPES[what].replace("{{", "{").replace("}}", "}")
    for name, value in (("theirs", theirs), ("mine", mine), ("port", port)):
        text = text.replace(f"{{{name}}}", str(value))
    limits = Limits(seconds=5, memory=512, unsafe=unsafe)
    verdict = judge(tasks()["gain"], [text + RUN], limits)
    said = " ".join(verdict.message)
    assert verdict.state != "right"
    return said, sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("what", ESCAPES)
def test_an_answer_reaches_nothing_behind_the_wall(what, tmp_path, server, monkeypatch):
    needed("bwrap")
    monkeypatch.setenv("OF_THE_TEACHER", SECRET)
    verdict, left = attempted(what, tmp_path, server, unsafe=False)
    assert SECRET not in verdict
    assert left == ["theirs.ipynb"]
    assert (tmp_path / "theirs.ipynb").read_text() == SECRET
    assert not (tmp_path / "mine").is_symlink()


NO_ESCAPE = {"a file that is written", "a program", "the environment"}
"""What the limits and the small environment hold, without the wall too."""
WITH_RIGHTS = sorted(ESCAPES.keys() - NO_ESCAPE)


@pytest.mark.parametrize("what", WITH_RIGHTS)
def test_without_the_wall_each_of_these_gets_through(what, tmp_path, server):
    verdict, left = attempted(what, tmp_path, server, unsafe=True)
    assert SECRET in verdict or left != ["theirs.ipynb"]


LOOK = """import os
found = [place for place, _, files in os.walk("/") if "misconceptions.toml" in files]
def gain(U, O_gate, dO_gate, h):
    raise ValueError(f"found {found} below {sorted(os.listdir('/'))}")
"""


def test_nothing_of_the_package_and_little_else_is_there():
    needed("bwrap")
    verdict = judge(tasks()["gain"], [LOOK], Limits(seconds=100))
    said = " ".join(verdict.message)
    assert "found [] below" in said
    below = said.partition("found [] below")[2].partition("]")[0]
    for name in ("home", "proc", "var", "opt", "srv", "mnt"):
        assert f"'{name}'" not in below


def test_grade_says_which_wall_it_uses_or_asks_for_unsafe(
    tmp_path, monkeypatch, capsys
):
    (tmp_path / "plan.toml").write_text("title = 'W'\ntasks = ['gain']")
    (tmp_path / "in").mkdir()
    (tmp_path / "in/anna.ipynb").write_text("no notebook")
    arguments = ["grade", str(tmp_path / "in"), "--plan", str(tmp_path / "plan.toml")]
    arguments += ["--out", str(tmp_path / "out")]
    needed("bwrap")
    assert main(arguments) == 1
    assert "behind a wall: bubblewrap" in capsys.readouterr().out
    monkeypatch.setenv("PATH", os.devnull)
    wall.tool.cache_clear()
    assert main([*arguments, "--force"]) == 2
    assert "--unsafe" in capsys.readouterr().err
    assert main([*arguments, "--force", "--unsafe"]) == 1
    assert "UNSAFE" in capsys.readouterr().out
    wall.tool.cache_clear()
