"""learn: the digits, read by a reader's own backward pass."""

import ast
import re

import pytest

import stbp
from stbp_edu.practice import learn, progress_report
from tests.practice.test_notebook_exercises import PATHS, notebook
from tools import ROOT


def test_it_is_the_training_of_the_program_on_one_page(capsys):
    shown = learn(stbp.backward, epochs=2)
    ours = capsys.readouterr().out
    stbp.learn(stbp.backward, epochs=2)
    assert ours == capsys.readouterr().out
    last = re.findall(r"[\d.]+%", ours)[-1]
    assert f"{last} after the last" in repr(shown)


def test_a_stub_is_not_attempted():
    def backward(U, O, Y, W, neuron):
        return ...

    for stub in (None, backward):
        assert learn(stub).state == "todo"


def upward(*args):
    return tuple([None, *(-g for g in part[1:])] for part in stbp.backward(*args))


@pytest.mark.parametrize(
    ("backward", "said"),
    [
        (lambda *args: 3, "must return two lists, dW and db"),
        (lambda U, O: (U, O), "raises TypeError"),
        (upward, "do not lower the loss"),
    ],
)
def test_what_does_not_learn_gets_one_clear_sentence(backward, said):
    feedback = learn(backward, epochs=1)
    assert feedback.state == "wrong"
    (message,) = feedback.message
    assert said in message


def twice(*args):
    """The first layer learns at twice the others' rate."""
    (none, first, *rest), db = stbp.backward(*args)
    return [none, 2 * first, *rest], db


def test_what_learns_by_wrong_gradients_is_told_so_and_nothing_is_recorded(capsys):
    assert "after the last" in repr(learn(twice, epochs=2))
    *_, last = capsys.readouterr().out.splitlines()
    assert "not right" in last
    assert 'check("program-5", backward)' in last
    assert "program-5" not in progress_report().states


def defined(source, name):
    """Return the lines of a function of this name as a tree, whatever their form."""
    (found,) = (f for f in ast.parse(source).body if getattr(f, "name", "") == name)
    body = [s for s in found.body if not isinstance(s, ast.Expr)]
    lines = [s for s in body if not ast.get_docstring(found) or s != found.body[0]]
    return [ast.dump(line) for line in lines]


def test_the_notebooks_end_with_the_program_on_one_page():
    (path,) = (path for path in PATHS if path.stem.endswith("gradients"))
    cells = (cell.source for cell in notebook(path).cells)
    (ours,) = (source for source in cells if source.endswith("learn(ours)"))
    page = (ROOT / "stbp.py").read_text("utf-8")
    assert defined(ours, "ours") == defined(page, "backward")
