"""The proof judges the programs that run, in every form."""

import pytest

from stbp_edu import derive
from stbp_edu.arrows.layer_program import LayerProgram
from stbp_edu.lines.expressions import call, parse
from stbp_edu.program.in_loops import installed
from stbp_edu.verify import proved_programs

PLAIN = "u = 0.7 * u * (1 - o) + x\no = spike(u - 0.4)"


def forms(proof):
    """By form and judge, the row of a proof."""
    rows = (row for row in proof.rows if row.what.startswith("program "))
    return {(row.what.removeprefix("program "), row.against): row for row in rows}


FORMS = ("as shown", "on arrays", "in loops")
EVERY = {f"{form}, {rule}" for form in FORMS for rule in ("each rule", "rule exact")}


@pytest.mark.slow
def test_each_form_is_judged_by_paths_and_by_automatic_differentiation():
    proof = derive(PLAIN).prove()
    assert proof.holds, str(proof)
    more = {"compiled, rule exact"} if installed() else set()
    assert {what for what, _ in forms(proof)} == EVERY | more


def test_a_program_with_a_wrong_factor_is_noticed_in_every_form(monkeypatch):
    """The table of arrows is right: only what is written of it is wrong."""
    term = LayerProgram._term

    def doubled(self, slope, head):
        """Take the reset twice."""
        found = term(self, slope, head)
        if slope.kind != "reset":
            return found
        return found._replace(factor=call("*", parse("2"), found.factor))

    monkeypatch.setattr(LayerProgram, "_term", doubled)
    monkeypatch.setattr(proved_programs, "installed", lambda: False)
    proof = derive(PLAIN).prove()
    wrong = {what for (what, _), row in forms(proof).items() if not row.agrees}
    assert wrong == EVERY
    assert all(row.agrees for row in proof.rows if not row.what.startswith("program"))


@pytest.mark.slow
def test_what_rounding_leaves_of_large_numbers_is_no_mistake():
    """The last digits of a difference of large numbers: of the size of what adds up to it."""
    text = "a = c * x\nu = 0.5 * u * (1 - o) + a - d * x\no = spike(u - 0.4)"
    proof = derive(text, c=1e5 + 1, d=1e5).prove()
    assert all(row.difference <= row.allowed for row in proof.rows), str(proof)
