"""The notebooks as the site sees them: read once a build, in the order of their names."""

from __future__ import annotations

import os
from pathlib import Path

import yaml

from tools.site import HERE, ROOT
from tools.site.notebook import Notebook, read

TOPICS = HERE / "topics.yml"


def folder() -> Path:
    """Return the folder of notebooks; tests may name another one."""
    return Path(os.environ.get("STBP_SITE_NOTEBOOKS", ROOT / "notebooks"))


def notebooks() -> dict[str, Notebook]:
    """Return the notebooks by stem."""
    return {path.stem: read(path) for path in sorted(folder().glob("*.ipynb"))}


def topics(notebook: Notebook) -> list[str]:
    """Return the tags of a notebook, as topics.yml lists them."""
    listed = yaml.safe_load(TOPICS.read_text(encoding="utf-8"))
    return [topic for topic, stems in listed.items() if notebook.stem[:2] in stems]
