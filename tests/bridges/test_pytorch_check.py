"""The checks of one's own gradients, word for word as the page on rules prints them."""

import re
from pathlib import Path

import pytest
import torch

from stbp_edu.practice import by_autograd, check_network

PAGE = Path(__file__).parents[2] / "docs" / "which-rule.md"


def printed(start):
    """Return the page's block that starts so."""
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.S)
    (source,) = (block for block in blocks if block.startswith(start))
    return source


@pytest.mark.parametrize(
    ("old", "new", "wrong", "said"),
    [
        ("", "", set(), "Checked against the exact gradients"),
        (
            "s, linear = o[n]",
            "s, linear = o[n].detach()",
            {3, 4},
            "the reset path is detached",
        ),
        ("u[n] * kept", "u[n].detach() * kept", {3, 4}, "the leak"),
        (
            "h(ctx.u.numpy())",
            "h(ctx.u.numpy() - 0.6)",
            {1, 2, 3, 4},
            "case 1: 0 of 1 right",
        ),
        (
            "@ W[n].T",
            "@ W[n].detach().T + 0 * W[n].sum()",
            {5},
            "not the sum over steps",
        ),
    ],
)
def test_check_network_finds_where_the_printed_program_is_wrong(old, new, wrong, said):
    shown = []
    names = {"torch": torch, "check_network": check_network, "by_autograd": by_autograd}
    names["print"] = shown.append
    program = printed("class Recorded")
    assert old in program
    exec(program.replace(old, new), names)
    exec(printed("leaf = "), names)
    (report,) = shown
    assert report.right == (not wrong)
    assert wrong <= {case.case for case in report.cases if case.explanation}
    assert said in repr(report)
    with pytest.raises(
        TypeError, match="leaf must be a function, got 3; pass the function itself"
    ):
        by_autograd(lambda: None, 3)
