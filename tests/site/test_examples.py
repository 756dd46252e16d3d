"""The examples in the docstrings of what makes the site."""

from __future__ import annotations

import doctest
import importlib
from pathlib import Path

import pytest

from tools.site import ROOT

FILES = [p for p in (ROOT / "tools" / "site").rglob("*.py") if ">>> " in p.read_text("utf-8")]


@pytest.mark.parametrize("path", sorted(FILES), ids=lambda path: path.stem)
def test_examples_hold(path: Path) -> None:
    """Each gives what it says."""
    name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    found = doctest.testmod(importlib.import_module(name), optionflags=doctest.NORMALIZE_WHITESPACE)
    assert found.attempted
    assert not found.failed
