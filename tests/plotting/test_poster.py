"""The poster: every formula from the register, each term in its colour, one cell lit."""

import re
import xml.etree.ElementTree as ET

import pytest

from stbp_edu.equations import EQUATIONS
from stbp_edu.plotting import poster

CASES = [id_ for id_ in EQUATIONS if re.fullmatch(r"c\d-(delta|epsilon|w|b)", id_)]


def parsed(lit=None):
    return ET.fromstring(poster(lit)._repr_html_().split("</style>")[1])


def classes(lit):
    return [e.get("class", "").split() for e in parsed(lit).iter()]


def test_it_has_the_formulas_of_all_cases_and_no_other():
    lines = [p for p in parsed().iter("p") if p.find("math") is not None]
    assert len(lines) == len(CASES) == 10
    assert "".join(lines[0].itertext()).replace(" ", "").startswith("δit,N=")


@pytest.mark.parametrize("lit", ["c3", "c3-delta", "c3-epsilon"])
def test_one_cell_stands_out(lit):
    found = classes(lit)
    assert [names for names in found if "lit" in names] == [["case-3", "lit"]]
    assert sum("dim" in names for names in found) == 4


@pytest.mark.parametrize("lit", [3, "c9-delta", "fwd-u"])
def test_what_is_no_case_is_refused(lit):
    with pytest.raises(ValueError, match="lit"):
        poster(lit)
