"""The checks of one's own gradients, word for word as the page on rules prints them."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch

from stbp_edu.practice import by_autograd, check_network

PAGE = Path(__file__).parents[2] / "docs" / "which-rule.md"
V_TH, TAU, WIDTH = 0.6, 0.7, 0.25
Function = torch.autograd.Function


def H(v):  # noqa: N802 - the letter of the notation table
    return torch.sigmoid(v / WIDTH)


def h(v):
    return H(v) * (1 - H(v)) / WIDTH


def comparison(v):
    """Return the spike as a comparison, which has no derivative."""
    return (v >= 0).to(v.dtype)


class Hard(Function):
    """A spike whose forward is the step still, and whose backward is right."""

    @staticmethod
    def forward(ctx, v):
        ctx.save_for_backward(v)
        return comparison(v)

    @staticmethod
    def backward(ctx, grad):
        return grad * h(ctx.saved_tensors[0])


class Model(torch.nn.Module):
    """Two layers of neurons that keep their potentials from one call to the next."""

    def __init__(self, spike, reset_with=None, detach=False):
        super().__init__()
        rng = np.random.default_rng(0)
        drawn = [torch.tensor(rng.normal(0, 0.8, shape)) for shape in ((5, 4), (3, 5))]
        self.weights = torch.nn.ParameterList(drawn)
        self.spike, self.reset_with, self.detach = spike, reset_with or spike, detach
        self.reset()

    def reset(self):
        self.potentials = [torch.zeros(2, n, dtype=torch.float64) for n in (5, 3)]

    def forward(self, x):
        counts = 0.0
        for below in torch.tensor(x):
            for n, w in enumerate(self.weights):
                o = self.reset_with(self.potentials[n] - V_TH)
                kept = 1 - (o.detach() if self.detach else o)
                self.potentials[n] = TAU * self.potentials[n] * kept + below @ w.T
                below = self.spike(self.potentials[n] - V_TH)
            counts = counts + below
        return counts / len(x)


def printed(start: str) -> str:
    """Return the page's block that starts so."""
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.S)
    (source,) = (block for block in blocks if block.startswith(start))
    return source


def spike(derivative=h):
    """Return a spike whose forward is H, with this derivative in its backward."""

    class Twin(Hard):
        @staticmethod
        def forward(ctx, v):
            ctx.save_for_backward(v)
            return H(v)

        @staticmethod
        def backward(ctx, grad):
            return grad * derivative(ctx.saved_tensors[0])

    return Twin.apply


@pytest.mark.parametrize(
    ("model", "reset", "seen"),
    [
        pytest.param(lambda: Model(spike()), Model.reset, False, id="right"),
        pytest.param(
            lambda: Model(spike(lambda v: h(v - V_TH))),
            Model.reset,
            True,
            id="backward",
        ),
        pytest.param(
            lambda: Model(spike(), detach=True), Model.reset, True, id="detached reset"
        ),
        pytest.param(
            lambda: Model(spike(), Hard.apply), Model.reset, True, id="a hard reset"
        ),
        pytest.param(
            lambda: Model(spike()), lambda _: None, True, id="a state that is kept"
        ),
        # What no nudge gets through is not tested: the smooth function itself, and a comparison.
        pytest.param(lambda: Model(H), Model.reset, False, id="smooth"),
        pytest.param(
            lambda: Model(spike(), comparison), Model.reset, False, id="a comparison"
        ),
    ],
)
def test_finite_differences_on_the_twin_see_what_is_wrong(model, reset, seen):
    model, rng = model(), np.random.default_rng(1)
    x, weights = rng.random((5, 2, 4)), tuple(model.weights)

    def run(*_):
        reset(model)
        return model(x)

    held = torch.autograd.gradcheck(run, weights, rtol=1e-6, raise_exception=False)
    assert held == (not seen)


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
        ("@ W[n].T", "@ W[n].detach().T + 0 * W[n].sum()", {5}, "not a sum over steps"),
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
