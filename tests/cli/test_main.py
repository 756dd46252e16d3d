"""The commands but train: what they print, import and say of mistakes."""

import re
import runpy
import sys

import pytest

import stbp_edu
from stbp_edu.cli import main as cli


@pytest.mark.parametrize("command", cli.COMMANDS)
def test_every_command_explains_itself(command, capsys):
    with pytest.raises(SystemExit):
        cli.main([command, "--help"])
    said = capsys.readouterr().out
    assert f"usage: stbp-edu {command}" in said
    assert not re.search("``|:[a-z]+:`", said)  # as a docstring may have
    with pytest.raises(SystemExit):
        cli.main([command.upper()])
    assert command in capsys.readouterr().err  # among those that there are


def test_the_command_is_a_module_too(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["stbp-edu", "--version"])
    with pytest.raises(SystemExit, match=r"^0$"):
        runpy.run_module("stbp_edu", run_name="__main__")
    assert capsys.readouterr().out == f"{stbp_edu.__version__}\n"


@pytest.mark.slow
@pytest.mark.usefixtures("two_neurons")
def test_verify_prints_a_table_and_succeeds(capsys):
    assert cli.main(["verify", "--rounds", "1"]) == 0
    table = capsys.readouterr().out
    assert all(id in table for id in ("c1-delta", "c4-epsilon", "c5-w"))
    assert "FAILED" not in table
    of_programs = re.search(r"(\d+) of (\d+) comparisons of programs agree", table)
    assert of_programs[1] == of_programs[2] != "0"
