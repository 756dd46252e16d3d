"""No text tells anybody to install this package by a name that nobody here has registered."""

import re

from tools import ROOT

PLACES = ("stbp_edu/**/*", "docs/**/*", "notebooks/*", "tools/**/*", "*.md")
TEXTS = {".py", ".md", ".html", ".ipynb", ".js", ".toml", ".txt"}
BY_NAME = re.compile(
    r"""(pip3? install|uv add)\b[^`\n]*?[\s'"]stbp[-_]edu(\[[\w,]*\])?(?! @|[\w./\[-])"""
)


def test_nothing_is_installed_by_an_unregistered_name():
    files = {file for place in PLACES for file in ROOT.glob(place)}
    texts = [file for file in files if file.suffix in TEXTS]
    assert len(texts) > 200
    found = [
        f"{file.relative_to(ROOT)}: {said[0]}"
        for file in texts
        if (said := BY_NAME.search(file.read_text("utf-8")))
    ]
    assert found == []
