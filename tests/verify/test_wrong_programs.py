"""``verify`` fails for programs with a slip that nobody chose because it sees it."""

import ast
from pathlib import Path

import pytest

from tests.verify.wrong_programs import SLIPS, Wrong
from tools.mutants import fork

pytestmark = pytest.mark.slow  # some slips show late in the verification


def objections():
    """Yield the first comparison of verify that fails; as its command does, for the seed 0."""
    from stbp_edu.verify import report

    for _, outcomes in report.trials_of():
        for outcome in outcomes:
            if not outcome.ok:
                yield f"{outcome.id} {outcome.rule} {outcome.oracle}"
                return


@pytest.mark.parametrize("wrong", SLIPS, ids=lambda wrong: wrong.slip)
def test_verify_fails(wrong: Wrong):
    path = Path("stbp_edu", *wrong.module.split(".")).with_suffix(".py")
    source = (fork.ROOT / path).read_text()
    assert source.count(wrong.old) >= 1, "the passage is gone; the slip must be written anew"
    slipped = ast.parse(source.replace(wrong.old, wrong.new))
    said, _ = fork.answers(path, slipped, objections, seconds=120)
    assert said, f"verify passes a program in which {wrong.slip}"
    # A state that is read before it is written is nan, and the package's own check says so.
    assert not said[0].startswith("raised") or "raised NotFiniteError" in said[0], said
