"""The checks that the page Frameworks prints, in PyTorch itself."""

import inspect

import pytest
import torch

from stbp_edu.practice import by_autograd, check_network
from tests import test_pytorch_check
from tests.bridges import pytorch_network
from tests.test_pytorch_check import printed

CHECKS = [
    check
    for name, check in vars(test_pytorch_check).items()
    if name.startswith("test_") and "library" in inspect.signature(check).parameters
]
assert CHECKS


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_what_the_stand_in_shows_holds_in_pytorch(check):
    check(pytorch_network)


@pytest.mark.parametrize(
    ("old", "new", "wrong", "said"),
    [
        ("", "", set(), "Checked against the exact gradients"),
        ("-o[n] /", "-o[n].detach() /", {3, 4}, "the reset path is detached"),
        ("u[n] * kept", "u[n].detach() * kept", {3, 4}, "the leak"),
        ("h(ctx.u.numpy())", "h(ctx.u.numpy() - 0.6)", {1, 2, 3, 4}, "case 1: 0 of 1 right"),
        ("@ W[n].T", "@ W[n].detach().T + 0 * W[n].sum()", {5}, "no sum over steps"),
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
