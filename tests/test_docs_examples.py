"""The examples of the site's pages, of the README, and of what makes the site are run."""

import doctest
import re
import shlex

import pytest

from stbp_edu.cli.main import main
from tools import ROOT

TRAINED = "train-save-use.md"
SLOW = {TRAINED, "your-neuron.md"}  # which trains, and which proves
TORCH = "<!-- what follows needs PyTorch -->"  # tests/bridges runs it
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
PAGES = [
    page for page in PAGES if "```pycon" in page.read_text("utf-8").split(TORCH)[0]
]


def tried(text, name, options=0):
    """Run the examples of a page, and return how many they were; none may fail."""
    blocks = re.findall(r"^```pycon\n(.*?)^```", text, flags=re.S | re.M)
    example = doctest.DocTestParser().get_doctest("\n".join(blocks), {}, name, name, 0)
    result = doctest.DocTestRunner(optionflags=options).run(example)
    assert result.failed == 0
    return result.attempted


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(p, marks=[pytest.mark.slow] * (p.name in SLOW), id=p.stem)
        for p in PAGES
    ],
)
def test_examples_of_page(page, tmp_path, monkeypatch):
    monkeypatch.setenv("STBP_EDU_PROGRESS", str(tmp_path / "progress.json"))
    monkeypatch.chdir(tmp_path)
    text, *_ = page.read_text("utf-8").split(TORCH)
    if page.name == TRAINED:  # its examples open what its commands have trained
        for kind, name in (("toml", "width.toml"), ("text", "adaptive.txt")):
            block = re.search(rf"^```{kind}\n(.*?)^```", text, re.S | re.M)
            (tmp_path / name).write_text(block[1], "utf-8")
        for command in re.findall(r"^stbp-edu (.*)$", text, flags=re.M):
            assert main(shlex.split(command)) == 0
    # the README has lines of at most 100
    wrapped = doctest.NORMALIZE_WHITESPACE if page.name == "README.md" else 0
    assert tried(text, page.name, wrapped) > 0


def test_the_network_of_the_readme_learns_as_it_says(capsys):
    text = (ROOT / "README.md").read_text("utf-8")
    (program,) = re.findall(r"^```python\n(.*?)^```", text, flags=re.S | re.M)
    said = re.search(r"print\(.*# (.*)", program)[1]
    exec(program, {})
    assert capsys.readouterr().out.split() == said.split(", ")
