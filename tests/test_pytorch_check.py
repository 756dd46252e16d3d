"""The checks of one's own gradients in PyTorch, word for word as the page Frameworks prints them.

PyTorch is no dependency. The first check runs here with a stand-in for it that has what its
snippets use: ``autograd.Function``, and tensors with ``detach``, ``numpy`` and ``grad``. HIPS
autograd does its differentiation. In PyTorch itself they run in ``tests/bridges``.
"""

import re
from pathlib import Path
from types import SimpleNamespace

import autograd
import autograd.numpy as anp
import nbformat
import numpy as np
import pytest
from autograd.extend import defvjp, primitive
from autograd.tracer import getval

from stbp_edu.practice import by_autograd
from tools.notebooks.numbering import files

pytestmark = pytest.mark.slow  # runs a cell of the notebook

ROOT = Path(__file__).parents[1]
NOTEBOOK = files()["all_together"]
PAGE = ROOT / "docs" / "frameworks.md"
V_TH, TAU, WIDTH = 0.6, 0.7, 0.25


def H(v):  # noqa: N802 - the letter of the notation table
    return 1 / (1 + anp.exp(-v / WIDTH))


def h(v):
    return H(v) * (1 - H(v)) / WIDTH


class Function:
    """``torch.autograd.Function``: a forward, and the backward that was written for it."""

    @classmethod
    def apply(cls, v):
        ctx = SimpleNamespace()
        ctx.save_for_backward = lambda *saved: setattr(ctx, "saved_tensors", saved)
        run = primitive(lambda v: cls.forward(ctx, v))
        defvjp(run, lambda ans, v: lambda grad: cls.backward(ctx, grad))
        return run(v)


class Tensor:
    """A parameter: its memory is that of the NumPy array that it gives."""

    def __init__(self, values):
        self.values, self.grad = values, None

    def detach(self):
        return self

    def numpy(self):
        return self.values


class Model:
    """Two layers of neurons that keep their potentials from one call to the next."""

    def __init__(self, spike, reset_with=None, detach=False):
        rng = np.random.default_rng(0)
        self.weights = [Tensor(rng.normal(0, 0.8, shape)) for shape in ((5, 4), (3, 5))]
        self.spike, self.reset_with, self.detach = spike, reset_with or spike, detach
        self.reset()

    def reset(self):
        self.potentials = [np.zeros((2, 5)), np.zeros((2, 3))]

    def parameters(self):
        return self.weights

    def zero_grad(self):
        for q in self.weights:
            q.grad = None

    def __call__(self, x):
        return lambda W: self.run(W, x)

    def run(self, W, x):
        potentials, counts = list(self.potentials), 0.0
        for below in x:
            for n, w in enumerate(W):
                last = potentials[n] - V_TH
                o = self.reset_with(last)
                kept = 1 - (getval(o) if self.detach else o)
                potentials[n] = TAU * potentials[n] * kept + anp.dot(below, w.T)
                below = self.spike(potentials[n] - V_TH)
            counts = counts + below
        self.potentials = [getval(u) for u in potentials]
        return counts / len(x)


class Loss:
    """A loss on whose ``backward`` the parameters get their ``grad``."""

    def __init__(self, output, y, model):
        arrays = [q.values for q in model.parameters()]
        value = lambda W: anp.sum((output(W) - y) ** 2) / 2  # noqa: E731
        kept = list(model.potentials)
        self.value = value(arrays)
        self.arrays, self.model, self.kept, self.of = arrays, model, kept, value

    def item(self):
        return self.value

    def backward(self):
        self.model.potentials = self.kept
        found = autograd.grad(self.of)(self.arrays)
        for q, grad in zip(self.model.parameters(), found, strict=True):
            q.grad = Tensor(grad)


def printed(start):
    """Return the source of the notebook's cell, or of the page's block, that starts so."""
    cells = nbformat.read(NOTEBOOK, as_version=4).cells
    sources = [cell.source for cell in cells if cell.cell_type == "code"]
    sources += re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.S)
    (source,) = (s for s in sources if s.startswith(start))
    return source


def error(library, model, reset=lambda model: model.reset()):
    """Return what the notebook's check prints for a model."""
    shown = []
    rng = np.random.default_rng(1)
    names = {"np": np, "model": model, "reset": reset, "print": shown.append}
    names |= {"x": rng.random((5, 2, 4)), "y": rng.random((2, 3))}
    names["loss_fn"] = lambda output, y: library.loss_fn(output, y, model)
    exec(printed("def gradient_check"), names)
    exec(printed("def loss_now"), names)
    (found,) = shown
    return found


def spike(library, derivative=None):
    """Return the page's spike with this derivative in its backward."""
    names = {"torch": SimpleNamespace(autograd=SimpleNamespace(Function=library.Function))}
    names |= {"H": library.H, "h": derivative or library.h}
    exec(printed("class Spike"), names)
    return names["Spike"].apply


def comparison(v):
    """Return the spike as a comparison, which has no derivative."""
    return (getval(v) >= 0).astype(float)


STAND_IN = SimpleNamespace(
    Function=Function, H=H, h=h, Model=Model, comparison=comparison, loss_fn=Loss
)


@pytest.fixture
def library():
    return STAND_IN


def hard(library):
    """Return a spike whose forward is the step still, and whose backward is right."""

    class Hard(library.Function):
        @staticmethod
        def forward(ctx, v):
            ctx.save_for_backward(v)
            return library.comparison(v)

        @staticmethod
        def backward(ctx, grad):
            return grad * library.h(ctx.saved_tensors[0])

    return Hard.apply


def test_a_right_backward_passes(library):
    assert error(library, library.Model(spike(library))) < 1e-8


def test_a_wrong_backward_fails_since_it_stays_under_test(library):
    """Its derivative forgets that a threshold has been taken off."""
    wrong = spike(library, lambda v: library.h(v - V_TH))
    assert error(library, library.Model(wrong)) > 1e-2


def test_the_smooth_function_in_place_of_the_whole_would_pass_whatever_the_backward(library):
    assert error(library, library.Model(library.H)) < 1e-8


def test_a_detached_reset_fails_although_the_backward_is_right(library):
    assert error(library, library.Model(spike(library), detach=True)) > 1e-2


def test_a_second_spike_that_is_hard_fails_although_the_backward_is_right(library):
    assert error(library, library.Model(spike(library), reset_with=hard(library))) > 1e-2


def test_a_state_that_is_kept_fails_although_the_backward_is_right(library):
    assert error(library, library.Model(spike(library)), reset=lambda model: None) > 1e-2


def test_a_reset_by_comparison_passes_and_is_not_tested(library):
    """No nudge gets through it, and no gradient: whatever its rule, the check says nothing."""
    model = library.Model(spike(library), reset_with=library.comparison)
    assert error(library, model) < 1e-8


def test_the_adapter_says_what_it_needs():
    with pytest.raises(TypeError, match="leaf must be a function, got 3; pass the function itself"):
        by_autograd(lambda: None, 3)
