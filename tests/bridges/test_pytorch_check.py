"""The checks of one's own gradients, word for word as the page Frameworks prints them."""

import re
from pathlib import Path
from types import SimpleNamespace

import nbformat
import numpy as np
import pytest
import torch

from stbp_edu.practice import by_autograd, check_network
from tests.bridges import pytorch_network as network
from tests.bridges.pytorch_network import V_TH, Function, Model, comparison, h
from tools.notebooks.numbering import files

PAGE = Path(__file__).parents[2] / "docs" / "frameworks.md"


def printed(start: str) -> str:
    """Return the source of the notebook's cell, or of the page's block, that starts so."""
    cells = nbformat.read(files()["all_together"], as_version=4).cells
    sources = [cell.source for cell in cells if cell.cell_type == "code"]
    sources += re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.S)
    (source,) = (s for s in sources if s.startswith(start))
    return source


def error(model, reset=lambda model: model.reset()) -> float:
    """Return what the notebook's check prints for a model."""
    shown = []
    rng = np.random.default_rng(1)
    names = {"np": np, "model": model, "reset": reset, "print": shown.append}
    names |= {"x": rng.random((5, 2, 4)), "y": rng.random((2, 3))}
    names["loss_fn"] = lambda output, y: network.loss_fn(output, y, model)
    exec(printed("def gradient_check"), names)
    exec(printed("def loss_now"), names)
    (found,) = shown
    return found


def spike(derivative=h):
    """Return the page's spike with this derivative in its backward."""
    names = {"torch": SimpleNamespace(autograd=SimpleNamespace(Function=Function))}
    names |= {"H": network.H, "h": derivative}
    exec(printed("class Spike"), names)
    return names["Spike"].apply


class Hard(Function):
    """A spike whose forward is the step still, and whose backward is right."""

    @staticmethod
    def forward(ctx, v):
        ctx.save_for_backward(v)
        return comparison(v)

    @staticmethod
    def backward(ctx, grad):
        return grad * h(ctx.saved_tensors[0])


def test_a_right_backward_passes():
    assert error(Model(spike())) < 1e-8


@pytest.mark.parametrize(
    ("model", "reset"),
    [
        pytest.param(lambda: Model(spike(lambda v: h(v - V_TH))), Model.reset, id="wrong backward"),
        pytest.param(lambda: Model(spike(), detach=True), Model.reset, id="detached reset"),
        pytest.param(lambda: Model(spike(), Hard.apply), Model.reset, id="second spike is hard"),
        pytest.param(lambda: Model(spike()), lambda _: None, id="a state that is kept"),
    ],
)
def test_what_is_wrong_fails_although_the_rest_is_right(model, reset):
    assert error(model(), reset) > 1e-2


@pytest.mark.parametrize(
    "model", [lambda: Model(network.H), lambda: Model(spike(), comparison)],
    ids=["the smooth function in place of the whole", "a reset by comparison"],
)  # fmt: skip
def test_what_no_nudge_gets_through_is_not_tested(model):
    assert error(model()) < 1e-8


def test_the_adapter_says_what_it_needs():
    with pytest.raises(TypeError, match="leaf must be a function, got 3; pass the function itself"):
        by_autograd(lambda: None, 3)


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
