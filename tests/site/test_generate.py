"""The pages that are made from the source: equations and API."""

import json
from pathlib import Path

from stbp_edu.equations import EQUATIONS
from stbp_edu.practice.explorers.pencil_network import one_neuron
from stbp_edu.practice.explorers.pulse_explorer import Pulse
from tools.site import ROOT
from tools.site.generate import api_pages, pictures, source_code
from tools.site.render.notebook_page import folder


def test_ids_are_found_in_notebooks_code_and_tests() -> None:
    """Ids are read from tags, from comments that start with one, and from names of tests."""
    ids = ["c3-delta", "c3", "fwd-x"]
    cell = {"cell_type": "markdown", "source": ["## Why\n", r"$$a \tag{c3-delta}$$"]}
    raw = json.dumps({"cells": [{"cell_type": "code", "source": ["1"]}, cell]})
    assert list(source_code.tags(raw, "n")) == [("c3-delta", source_code.Place("n", 1, "Why"))]
    code = "def f():\n    x = 1  # fwd-x, all at once; c3-delta\n    y = 2  # see c3-delta\n"
    found = source_code.comments(code, "p", ids)
    assert [(id_, place.line, place.name) for id_, place in found] == [
        ("fwd-x", 2, "f"),
        ("c3-delta", 2, "f"),
    ]
    code = "def test_c3_delta_is_right(): ...\ndef test_fwd_xy(): ...\ndef helper_fwd_x(): ..."
    assert [(i, p.name) for i, p in source_code.tests(code, "t", ids)] == [
        ("c3-delta", "test_c3_delta_is_right")
    ]


def test_every_equation_of_the_cases_is_computed_somewhere() -> None:
    """The scan of the real tree finds a line of code for each of the five cases' ids."""
    found = source_code.scan(folder())
    assert all(found[id_].code for id_ in EQUATIONS if id_.startswith("c") and "-" in id_)


def test_a_package_shows_the_modules_of_its_public_names() -> None:
    """What no name in ``__all__`` comes from is not described; its source leads to the package.

    An example keeps all of its output, indented or not.
    """
    example = ">>> f()\none:\n  two"
    assert api_pages.prepare(f"{example}\n\nend") == f"```pycon\n{example}\n```\n\nend"
    pages = api_pages.pages(api_pages.read_package())
    assert "::: stbp_edu.practice.grading.verdict\n" in pages["api/practice.md"]
    assert "grading.hypotheses" not in pages["api/practice.md"]
    for path, name in (
        ("grading/verdict.py", "practice.grading.verdict"),
        ("grading/hypotheses.py", "practice.grading"),
        ("__init__.py", "practice"),
    ):
        entry = api_pages.entry(ROOT / "stbp_edu" / "practice" / path, pages)
        up = "../" * len(Path("stbp_edu/practice", path).parts)
        assert entry.startswith(f"[API: stbp_edu.{name}]({up}api/practice.md#stbp_edu.{name})")


def test_the_picture_in_the_readme_is_current() -> None:
    """Run: python -m tools.site.generate.pictures."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for name, text in pictures.readme_pictures().items():
        assert (pictures.FOLDER / name).read_text(encoding="utf-8") == text
        assert f"docs/assets/{name}" in readme
        assert "prefers-reduced-motion: no-preference" in text
        assert "lost" not in text  # the first pages do not tell what is found later
    total = Pulse(one_neuron()).data["rules"]["exact"]["sum"].rpartition("= ")[2]
    assert total in readme
