"""The hooks of pre-commit: they fetch nothing, and refuse what a commit must not be."""

import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

pytestmark = pytest.mark.slow  # processes take their time to start
ROOT = Path(__file__).resolve().parents[1]
CONFIG = ROOT / ".pre-commit-config.yaml"
HOOKS = {hook["id"]: hook for hook in yaml.safe_load(CONFIG.read_text())["repos"][0]["hooks"]}


def test_the_hooks_are_well_formed_and_fetch_nothing():
    check = [sys.executable, "-m", "pre_commit", "validate-config", str(CONFIG)]
    subprocess.run(check, check=True)
    assert all(hook["entry"].startswith(".venv/bin/") for hook in HOOKS.values())


@pytest.mark.parametrize(
    ("message", "passes"),
    [
        ("Share one container of adjoints\n\nTwo were the same.\n", True),
        ("Merge branch 'core'", True),
        ("Added a test", False),
        ("Adds a test", False),
        ("add a test", False),
        ("Write " + 67 * "x", False),
    ],
)
def test_a_subject_is_imperative_and_short(tmp_path: Path, message: str, passes: bool):
    path = tmp_path / "message"
    path.write_text(message, encoding="utf-8")
    tool, *options = shlex.split(HOOKS["message"]["entry"])
    command = [Path(sys.executable).with_name(Path(tool).name), *options, path]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode == 0) == passes, done.stdout
