"""The examples that the site's pages and the README print are run."""

import doctest
import re
import shlex
from pathlib import Path

import pytest

from stbp_edu.cli.main import main

ROOT = Path(__file__).resolve().parents[1]
TRAINED = "train-save-use.md"
PAGES = [
    page
    for page in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
    if "```pycon" in page.read_text("utf-8")
    and page.stem != "pytorch"  # tests/bridges runs it, where PyTorch is
]


@pytest.mark.parametrize(
    "page",
    [pytest.param(p, marks=[pytest.mark.slow] * (p.name == TRAINED), id=p.stem) for p in PAGES],
)
def test_examples_of_page(page, tmp_path, monkeypatch):
    monkeypatch.setenv("STBP_EDU_PROGRESS", str(tmp_path / "progress.json"))
    monkeypatch.chdir(tmp_path)
    if page.name == TRAINED:  # its examples open what its commands have trained
        for kind, name in (("toml", "width.toml"), ("text", "adaptive.txt")):
            block = re.search(rf"^```{kind}\n(.*?)^```", page.read_text("utf-8"), re.S | re.M)
            (tmp_path / name).write_text(block[1], "utf-8")
        for command in re.findall(r"^stbp-edu (.*)$", page.read_text("utf-8"), flags=re.M):
            assert main(shlex.split(command)) == 0
    blocks = re.findall(r"^```pycon\n(.*?)^```", page.read_text("utf-8"), flags=re.S | re.M)
    example = doctest.DocTestParser().get_doctest("\n".join(blocks), {}, page.name, str(page), 0)
    wrapped = doctest.NORMALIZE_WHITESPACE if page.name == "README.md" else 0  # lines to 100
    result = doctest.DocTestRunner(optionflags=wrapped).run(example)
    assert result.attempted > 0
    assert result.failed == 0
