import json
import subprocess
import sys

import pytest

from stbp_edu.cli import main as cli


def test_a_mistake_of_the_users_gets_a_sentence(capsys):
    assert cli.main(["verify", "--rounds", "0"]) == 2
    assert "stbp-edu verify: rounds must be >= 1" in capsys.readouterr().err


def test_an_unknown_command_lists_the_known_ones(capsys):
    with pytest.raises(SystemExit):
        cli.main(["lern"])
    assert "verify" in capsys.readouterr().err


@pytest.mark.parametrize("command", cli.COMMANDS)
def test_every_command_explains_itself(command, capsys):
    with pytest.raises(SystemExit):
        cli.main([command, "--help"])
    assert f"usage: stbp-edu {command}" in capsys.readouterr().out


def test_a_command_imports_what_it_needs_alone():
    code = (
        "import json, sys; from stbp_edu.cli.main import parse; parse(['train', 'digits']);"
        "print(json.dumps([m for m in sys.modules if m.startswith(('stbp_edu.', 'requests'))]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(json.loads(done.stdout))
    assert "stbp_edu.cli.train" in loaded
    assert not {"stbp_edu.verify", "stbp_edu.practice", "stbp_edu.plotting", "requests"} & loaded
    assert not {f"stbp_edu.cli.{name}" for name in ("evaluate", "plot", "check")} & loaded
