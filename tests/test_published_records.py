"""The published records: where they come from, who makes them, and what pages print of them."""

import json
import re
from dataclasses import replace

import pytest

from benchmarks import accuracy
from stbp_edu.training import RECIPES, from_dict
from tools import ROOT
from tools.pages import records
from tools.pages.page_names import names
from tools.templates import filled

RECORDS = records.read_records()
MEASURED = (
    "results.md",
    "performance.md",
    "time.md",
    "exact-is-not-best.md",
    "trust.md",
)


ENDED = {
    *("mnist-adversarial", "mnist-hour", "mnist-tune-adversarial", "mnist-tune-fgsm"),
    *("mnist-plain", "mnist-tune", "mnist-saccades"),
}
"""Records whose training ended: with FGSM and dropout, and with the events made of images."""


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    sorted({n for n in RECORDS if n.startswith(("mnist", "fashion"))} - ENDED),
)
def test_a_record_is_of_the_plan_that_makes_it(name):
    """And the recipe that the page prints is the one that was run."""
    rows = RECORDS[name]["rows"]
    plan = accuracy.PLANS[RECORDS[name]["command"].split()[-1]]
    later = {"shards"}  # which later versions have not
    changes = [
        {k: row["changes"][k] for k in row["changes"].keys() - later} for row in rows
    ]
    names = [row["name"] for row in rows]
    assert dict(zip(names, changes, strict=True)) == json.loads(json.dumps(plan.rows))
    for row, changed in zip(rows, changes, strict=True):
        for run, seed in zip(row["runs"], plan.seeds, strict=True):
            recipe = replace(RECIPES[plan.dataset], **{**changed, "seed": seed})
            assert from_dict(run["settings"]) == recipe


def test_differences_are_paired_by_seed_and_a_share_has_wilsons_interval():
    plain, sign = ({"accuracy": a} for a in ([1.0, 0.5, 0.5], [1.0, 0.9, 1.0]))
    assert records.differences(sign, plain) == pytest.approx([0.0, 40.0, 50.0])
    # the quantile 4.303 of Student's t with two degrees of freedom
    gap = records.mean(records.differences(sign, plain), 1, "+")
    assert gap.replace("\xa0", " ") == "+30.0 ± 65.7"
    assert records.share(plain).replace("\xa0", " ") == "1 of 3 (6 to 79 %)"


@pytest.fixture(scope="module")
def pages():
    """Return the pages of measurements, without their figures, in plain spaces."""
    made = {name: filled(name, **names(name)) for name in MEASURED}
    for name, text in made.items():
        text = re.sub(r"<svg.*?</svg>", "", text, flags=re.S)
        made[name] = text.replace("\xa0", " ").replace("&nbsp;", " ")
    return made


FIGURE = re.compile(r"(?<![\w.])(\d+\.\d+)(?:\s|&nbsp;|\\,)*\\?(?:%|ms|MB)(?!\w)")
ELSEWHERE = {"98.89", "95.99", "90.0", "83.5", "99.42"}
"""Figures of others, which pages name: the notes, two papers, and the page of Fashion-MNIST."""
MADE_UP = {"96.0", "96.8"}  # by a question of the notebook what_matters


@pytest.mark.slow
def test_a_decimal_in_prose_is_one_that_the_records_give(pages):
    printed = (
        set(re.findall(r"\d+\.\d+", "".join(pages.values()))) | ELSEWHERE | MADE_UP
    )
    written = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]
    texts = {path.name: path.read_text("utf-8") for path in written}
    for path in (ROOT / "notebooks").glob("*.ipynb"):
        cells = json.loads(path.read_text("utf-8"))["cells"]
        prose = ["".join(c["source"]) for c in cells if c["cell_type"] == "markdown"]
        texts[path.name] = "\n\n".join(prose)
    for name, text in texts.items():
        text = re.sub(r"```.*?```|\{[%#{].*?[%#}]\}", " … ", text, flags=re.S)
        assert not {*FIGURE.findall(text.replace("**", ""))} - printed, name
