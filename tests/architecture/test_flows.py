"""The architecture page draws what the code does, and names only what exists."""

import json
import re
import subprocess
import sys

import pytest

from tools import ROOT
from tools.pages import architecture_page as drawings
from tools.templates import filled

PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
MOST = {("train",): 54, ("check",): 13, ("check", "wrong"): 16}
"""How many files of the package an action may enter.

Of a training's, about half belong to the network: they derive the step of its neuron, and run it.
"""


@pytest.mark.slow
def test_the_recorded_flows_are_those_that_are_taken():
    command = [sys.executable, "-m", "tests.architecture.flows"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    recorded = json.loads(drawings.FLOWS.read_text(encoding="utf-8"))
    assert json.loads(done.stdout) == recorded, (
        "python -m tests.architecture.flows --write"
    )
    for names, most in MOST.items():
        assert (
            len({entry["file"] for name in names for entry in recorded[name]}) <= most
        )


def test_every_layer_and_every_event_of_the_hook_is_drawn():
    drawn = filled("architecture.md", **drawings.NAMES)
    for module in (ROOT / "stbp_edu").glob("[a-z]*[!d]"):
        if module.suffix in ("", ".py"):
            assert f"<code>{module.stem}</code>" in drawn
    events = re.findall(
        r"^def (on_\w+)", (ROOT / "tools/site/events.py").read_text("utf-8"), re.M
    )
    assert [name for name, words in drawings.build() if words] == events


def test_what_the_page_names_is_there():
    """Each path, each name that follows a file or is said to be in one, and the glossary's."""
    paths = set(
        re.findall(
            r"`((?:stbp_edu|tools|tests|docs|benchmarks|notebooks)/[\w./-]*)`", PAGE
        )
    )
    assert [path for path in paths if not (ROOT / path).exists()] == []
    shortened = re.findall(r"`((?:\w+/)+\w+\.py)`", PAGE)  # some from the package on
    places = (ROOT, ROOT / "stbp_edu")
    gone = [
        path for path in shortened if not any((at / path).exists() for at in places)
    ]
    assert gone == []
    file = r"`((?:stbp_edu|tools|tests)/[\w./]+\.py)`"
    named = re.findall(file + r": ((?:`[\w.]+`(?:, )?)+)", PAGE)
    named += [
        (there, name) for name, there in re.findall(rf"(`\w+`) (?:in|of) {file}", PAGE)
    ]
    code = {file: (ROOT / file).read_text("utf-8") for file, _ in named}
    places = [
        (code[file], name)
        for file, names in named
        for name in re.findall(r"[\w.]+", names)
    ]
    files = [
        path for part in ("stbp_edu", "tools") for path in (ROOT / part).rglob("*.py")
    ]
    everything = "\n".join(path.read_text("utf-8") for path in files)
    words = re.findall(
        r"^\| `(\w+)`", PAGE.partition("## Glossary of code names")[2], flags=re.M
    )
    words += re.findall(r"`([A-Z][A-Z_]+)`", PAGE)
    places += [(everything, word) for word in words]
    assert min(len(paths), len(named), len(words)) > 5
    missing = [
        name for text, name in places
        if not re.search(rf"(?:class|def) {name.split('.')[-1]}\b|^{name}\b[^=]*=", text, re.M)
    ]  # fmt: skip
    assert missing == []
