"""The architecture page draws what the code does, and names only what exists."""

import json
import re
import subprocess
import sys

import pytest

from tools.site import ROOT
from tools.site.generate import architecture_page as drawings

MOST = {"train": 24, "check": 17}
"""How many files of the package an action may enter; three of a training's read convolutions."""


@pytest.fixture(scope="module")
def page():
    return (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_recorded_flows_are_those_that_are_taken():
    command = [sys.executable, "-m", "tests.architecture.flows"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    recorded = json.loads(drawings.FLOWS.read_text(encoding="utf-8"))
    assert json.loads(done.stdout) == recorded, "python -m tests.architecture.flows --write"
    for name, most in MOST.items():
        assert len(recorded[name]) <= most


def test_every_layer_and_every_event_of_the_hook_is_drawn():
    drawn = drawings.layers()
    modules = {p.stem for p in (ROOT / "stbp_edu").iterdir() if p.suffix == ".py" or p.is_dir()}
    for module in modules - {"__init__", "__pycache__", "equations.toml", "py.typed"}:
        assert f"<code>{module}</code>" in drawn
    events = re.findall(r"^def (on_\w+)", (ROOT / "tools/site/hook.py").read_text("utf-8"), re.M)
    assert set(drawings.EVENTS) == set(events) - {"on_post_template"}
    built = drawings.build()
    for function in (
        "notebook_reader.read_notebooks",
        "notebook_html.cell_html",
        "maths.transform",
    ):
        assert f"tools.site.render.{function}" in built


def test_every_place_that_the_page_names_exists(page):
    named = re.findall(r"`((?:stbp_edu|tools|tests|docs|benchmarks|notebooks)/[\w./-]*)`", page)
    assert len(set(named)) > 20
    assert [name for name in named if not (ROOT / name).exists()] == []
    drawn = drawings.fill(page)
    assert "[[" not in drawn


def test_every_name_that_the_page_gives_stands_in_its_file(page):
    rows = re.findall(r"`((?:stbp_edu|tools)/[\w./]+\.py)`: ((?:`[\w.]+`(?:, )?)+)", page)
    assert len(rows) > 10
    for file, names in rows:
        text = (ROOT / file).read_text("utf-8")
        for name in re.findall(r"`([\w.]+)`", names):
            assert re.search(rf"(?:class|def) {name.split('.')[-1]}\b|^{name}\b", text, re.M), name


def test_the_glossary_names_what_the_code_defines(page):
    names = re.findall(r"^\| `(\w+)`", page.partition("## Glossary of code names")[2], flags=re.M)
    code = "\n".join(p.read_text("utf-8") for p in sorted((ROOT / "stbp_edu").rglob("*.py")))
    assert len(names) > 15
    assert [
        n for n in names if not re.search(rf"^\s*(class|def) {n}\b|^{n}\b.*=", code, re.M)
    ] == []
