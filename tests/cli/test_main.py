"""The commands but train: what they print, import and say of mistakes."""

import json
import re
import runpy
import subprocess
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


def test_a_command_imports_what_it_needs_alone():
    code = (
        "import json, sys; from stbp_edu.cli.main import parse; parse(['train', 'digits']);"
        "print(json.dumps([m for m in sys.modules if m.startswith(('stbp_edu.', 'requests'))]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    loaded = set(json.loads(done.stdout))
    assert "stbp_edu.cli.train" in loaded
    assert (
        not {"stbp_edu.verify", "stbp_edu.practice", "stbp_edu.plotting", "requests"}
        & loaded
    )
    assert not {f"stbp_edu.cli.{name}" for name in ("learn", "sweep", "teach")} & loaded


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
