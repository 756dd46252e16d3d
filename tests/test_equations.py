"""One equation, one id, four places: the register, a notebook, a line of code, a test.

That no formula stands in two versions is the rule ``equations`` of a notebook's form.
"""

import re

import nbformat

from stbp_edu._support.equations import GROUPS
from tests.notebook_rules import prose
from tools.notebooks.numbering import files
from tools.site.generate import source_code

DISPLAY = re.compile(r"\$\$(.+?)\$\$", re.S)


def plain(latex):
    """Drop what does not change a formula: white space and the tag."""
    return re.sub(r"\s+|\\tag\{[^}]*\}", "", latex).rstrip(".,;")


def displayed():
    """Yield (id, formula) for each tagged display equation of the course."""
    for path in files().values():
        for formula in DISPLAY.findall(prose(nbformat.read(path, 4))):
            for id_ in source_code.TAG.findall(formula):
                yield id_, formula


def test_an_equation_stands_in_a_notebook_in_code_and_in_a_tests_name():
    missing = {
        id_: kinds
        for id_, places in source_code.scan(source_code.ROOT / "notebooks").items()
        if (kinds := [kind for kind, found in places.items() if not found])
    }
    assert not missing, "an equation has no place in some of these"


def test_every_form_of_the_five_cases_is_shown_in_the_course():
    """Of the classic rule, the form of a whole layer may stand on the equations page alone."""
    shown = {(id_, plain(formula)) for id_, formula in displayed()}
    for id_, equation in GROUPS["cases"].items():
        for name, form in equation.forms.items():
            if name != "vector" or not id_.endswith("-classic"):
                assert (id_, plain(form)) in shown, (
                    f"no notebook shows the {name} form of {id_}"
                )
