"""What a commit must keep to, and that the hooks run the checks."""

import subprocess
import sys
from pathlib import Path

import pytest

from tools import commit_rules
from tools.commit_rules import file_faults, message_faults

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize(
    "message",
    [
        "Share one container of adjoints\n\nTwo were the same.\n",
        "Embed the figures in the page",
        "Pass the rule on to the workers",
        "Merge branch 'core'",
        "Add a test\n# a comment of git's\n",
    ],
)
def test_a_message_in_the_imperative_passes(message):
    assert list(message_faults(message)) == []


@pytest.mark.parametrize(
    ("message", "fault"),
    [
        ("", "must say what the commit does"),
        ("Write " + 67 * "x", "at most 72 characters, got 73"),
        ("Speed measured anew: 0.88 of the products " + 40 * "x", "at most 72 characters"),
        ("Added a test", 'not with "Added"'),
        ("Adds a test", 'not with "Adds"'),
        ("Adding a test", 'not with "Adding"'),
        ("The test is new", 'not with "The"'),
        ("Add a test.", "without a full stop"),
        ("Add a test\nbecause it was missing", "second line empty"),
    ],
)
def test_a_message_of_another_form_is_refused(message, fault):
    (said,) = message_faults(message)
    assert fault in said


def test_a_large_file_and_one_without_a_last_newline_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(commit_rules, "LARGEST", 10)
    path = tmp_path / "a.txt"
    path.write_text("0123456789a")
    large, unended = file_faults(path)
    assert "has 11 bytes; at most 10" in large
    assert "must end with a newline" in unended
    path.write_text("short\n")
    assert list(file_faults(path)) == []


def test_the_hooks_run_the_checks_and_fetch_nothing(tmp_path):
    path = tmp_path / "message"
    path.write_text("Added a test", encoding="utf-8")
    command = [sys.executable, "-m", "tools.commit_rules", "message", str(path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1
    assert "imperative" in done.stderr
    config = ROOT / ".pre-commit-config.yaml"
    assert "tools.commit_rules message" in config.read_text(encoding="utf-8")
    assert "://" not in config.read_text(encoding="utf-8")
    check = [sys.executable, "-m", "pre_commit", "validate-config", str(config)]
    subprocess.run(check, check=True)
