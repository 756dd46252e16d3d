"""Surrogates and rules of one's own as settings: ``module:name``."""

import sys

import pytest

from stbp_edu.arrows.rules import Rule
from stbp_edu.cli.main import main
from stbp_edu.surrogates import ATan, Curve
from stbp_edu.training.settings import Settings

MINE = """
from dataclasses import dataclass
from stbp_edu.arrows import Rule
from stbp_edu.surrogates import ATan

@dataclass(frozen=True)
class Twice(ATan):
    def h(self, v, xp):
        return 2 * super().h(v, xp)

ready = Twice(a=3.0)
rule = Rule("no reset", {"all": {"reset": None, "*": "all"}})
"""
COMMAND = (
    "train digits --epochs 1 --hidden 4 --T 2 --encodings 1 --surrogate my_snn:Twice"
)


@pytest.fixture
def mine(tmp_path, monkeypatch):
    """A module in the folder in which the command runs."""
    (tmp_path / "my_snn.py").write_text(MINE, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    yield
    sys.modules.pop("my_snn", None)


@pytest.mark.usefixtures("mine")
def test_own_classes_get_the_width_and_objects_have_their_own():
    neuron = Settings(surrogate="my_snn:Twice", a=0.5).make_neuron()
    assert isinstance(neuron.surrogate, Curve)
    assert neuron.h(0.0) == pytest.approx(2 * ATan(0.5).derivative(-neuron.v_th))
    assert Settings(surrogate="my_snn:ready").make_neuron().surrogate.a == 3.0
    rule = Settings(rule="my_snn:rule", gain_limit=0.5).make_rule()
    assert isinstance(rule, Rule)
    assert rule.name == "no reset with gains up to 0.5"


@pytest.mark.usefixtures("mine")
def test_the_command_line_trains_with_them(tmp_path, capsys):
    """They give what the package's rule of the same words gives."""
    for rule in ("my_snn:rule", "detached-reset"):
        options = [*COMMAND.split(), "--rule", rule, "--out", str(tmp_path)]
        assert main(options) == 0
    own, package = (
        (tmp_path / name / "params.npz").read_bytes()
        for name in ("my_snn-rule", "detached-reset")
    )
    assert own == package


@pytest.mark.usefixtures("mine")
@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            {"surrogate": "my_snn:nothing"},
            "surrogate must be the module:name of an object",
        ),
        ({"surrogate": "no_such_module:Twice"}, "No module named 'no_such_module'"),
        ({"surrogate": "os:system"}, "surrogate must have the methods"),
        ({"surrogate": "pathlib:Path"}, "surrogate must be a class with the methods"),
        ({"rule": "my_snn:ready"}, "rule must be of type Rule"),
        ({"rule": ":"}, "rule must be the module:name"),
    ],
)
def test_what_is_neither_is_said(given, said):
    with pytest.raises((TypeError, ValueError), match=said):
        Settings(**given)
