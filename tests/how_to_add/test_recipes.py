"""Recipes of the architecture page, carried out on a copy of the project."""

import os
import shutil
import subprocess
import sys

import pytest

from tests.how_to_add.recipes import RECIPES
from tools import ROOT

pytestmark = pytest.mark.slow
PARTS = ("stbp_edu", "tests", "tools", "docs", "benchmarks", "notebooks")
"""The folders of the project that are copied; and the files beside them."""


def copied(tree):
    """Copy the project, without what is built in it, and return the copy."""
    for name in PARTS:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, tree / name, ignore=ignored)
    for path in ROOT.iterdir():
        if path.is_file() and path.name != ".git":  # a file in a second working tree
            shutil.copy(path, tree)
    # Some tests ask git for the names of the project's files.
    subprocess.run(["git", "init", "--quiet"], cwd=tree, check=True)
    subprocess.run(["git", "add", "--all"], cwd=tree, check=True)
    return tree


def run(tree, *command, inside=None):
    """Run Python with the packages of the copy, and return what it prints if it succeeds."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(tree),
        "STBP_EDU_PROGRESS": os.devnull,
        "XDG_CACHE_HOME": str(tree / "cache"),
    }
    done = subprocess.run(
        [sys.executable, *command],
        cwd=inside or tree,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-3000:]
    return done.stdout


def test_the_recipes_work_as_the_page_says(tmp_path):
    """Each example uses what was added, and the tests that know of such things still pass."""
    tree = copied(tmp_path / "tree")
    for recipe in RECIPES.values():
        recipe.carry_out(tree)
        run(tree, "-c", recipe.example, inside=tmp_path)
    assert str(tree) in run(tree, "-c", "import stbp_edu; print(stbp_edu.__file__)")
    known = [test for recipe in RECIPES.values() for test in recipe.tests]
    run(tree, "-m", "pytest", "-q", "-x", *known)


def test_the_page_has_each_recipe():
    page = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    for name in RECIPES:
        article = "An" if name[0] in "aeiou" else "A"
        assert f"**{article} {name}.**" in page, name
