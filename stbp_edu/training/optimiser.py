"""What a run needs to continue, and one update of its parameters: Adam, or SGD with momentum."""

import math
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np

from stbp_edu._support import checks
from stbp_edu._support.checks import Array
from stbp_edu.parameters import LayerArrays, Params, named_arrays
from stbp_edu.program.in_loops import installed, kernel
from stbp_edu.program.machine import run_in_parts
from stbp_edu.training.settings import Settings

EPS = 1e-8
CHUNK = 32_768  # elements: all that a step of Adam touches fits in the cache


@dataclass
class State:
    """All that a run needs to continue: an update changes it in place.

    Attributes:
        params: the parameters.
        average: their running average; None where averaging is off.
        m: Adam's mean of the gradients, or the velocity of SGD, by the names of the parameters.
        v: Adam's mean of their squares; SGD leaves it 0.
        step: updates that were made.
        epoch: epochs that are done.
    """

    params: Params
    average: Params | None
    m: dict[str, Array]
    v: dict[str, Array]
    step: int = 0
    epoch: int = 0

    @property
    def kept(self) -> Params:
        """The parameters to evaluate and to save: the average, where there is one."""
        return self.params if self.average is None else self.average


def start(params: Params, *, averaging: bool = False) -> State:
    """Return the state before the first update, which has these parameters."""
    checks.instance("params", params, Params)
    average = deepcopy(params) if averaging else None
    m, v = ({k: np.zeros_like(a) for k, a in params.arrays().items()} for _ in "mv")
    return State(params, average, m, v)


def adam(
    state: State,
    grads: LayerArrays,
    lr: float,
    *,
    momentum: float = Settings.momentum,
    beta2: float = Settings.beta2,
) -> None:
    """Make one update of Adam, of size η = ``lr``: change the state in place, but for the average.

    m ← β₁ m + (1 - β₁) g and v ← β₂ v + (1 - β₂) g², both zero at first, with β₁ = ``momentum``.
    After k updates the corrected means are m̂ = m / (1 - β₁ᵏ) and v̂ = v / (1 - β₂ᵏ), and
    p ← p - η m̂ / (√v̂ + ε).

    v remembers about 1 / (1 - β₂) updates: after one huge gradient, the updates are small for that
    long.

    >>> from stbp_edu import Gradients, Params
    >>> p = Params(W=[None, np.array([[1.0]])], b=[None, np.zeros(1)])
    >>> g = Gradients(W=[None, np.array([[2.0]])], b=[None, np.zeros(1)])
    >>> adam(start(p), g, lr=0.1)
    >>> p.W[1]
    array([[0.9]])
    """
    state.step += 1
    root = math.sqrt(1 - beta2**state.step)  # √v̂ + ε = (√v + root · ε) / root
    size = lr * root / (1 - momentum**state.step)
    rates = (momentum, 1 - momentum, beta2, 1 - beta2, size, EPS * root)
    numbers = [state.params.dtype.type(rate) for rate in rates]
    update = kernel("adam") if installed() else adam_on_arrays
    parts = [*chunks(state.params.arrays(), named_arrays(grads), state.m, state.v)]

    def loop(first: int, last: int) -> None:
        """Change some of the parts."""
        for arrays in parts[first:last]:
            update(*arrays, *numbers)

    run_in_parts(loop, len(parts), 8.0 * CHUNK * len(parts))


def adam_on_arrays(
    p: Array, g: Array, m: Array, v: Array, beta1: Any, rest1: Any, beta2: Any, rest2: Any,
    size: Any, eps: Any,
) -> None:  # fmt: skip
    """Make one update of Adam as :func:`.loops.adam`, with the same bits and without Numba."""
    m *= beta1
    m += rest1 * g
    v *= beta2
    v += rest2 * (g * g)
    p -= m * size / (np.sqrt(v) + eps)  # adam


def sgd(
    state: State,
    grads: LayerArrays,
    lr: float,
    *,
    momentum: float = Settings.momentum,
) -> None:
    """Make one update of gradient descent with momentum μ: m ← μ m + g, then p ← p - η m.

    >>> from stbp_edu import Gradients, Params
    >>> p = Params(W=[None, np.array([[1.0]])], b=[None, np.zeros(1)])
    >>> g = Gradients(W=[None, np.array([[2.0]])], b=[None, np.zeros(1)])
    >>> sgd(start(p), g, lr=0.1)
    >>> p.W[1]
    array([[0.8]])
    """
    state.step += 1
    arrays = state.params.arrays(), named_arrays(grads), state.m
    for p, g, m in chunks(*arrays):
        m *= momentum
        m += g
        p -= lr * m  # sgd


def gradient_norm(grads: LayerArrays) -> float:
    """Return the Euclidean norm of all gradients together.

    Raises:
        NotFiniteError: if an entry is not finite; the message names it.

    >>> gradient_norm([None, {"W": np.array([[3.0]]), "b": np.array([4.0])}])
    5.0
    """
    named = named_arrays(grads)
    total = 0.0
    for g in named.values():
        flat = g.ravel(order="K")
        for first in range(0, flat.size, CHUNK):
            # In float64, where no square of a float32 is too large.
            part = flat[first : first + CHUNK].astype(np.float64)
            total += float(part @ part)
    if not math.isfinite(total):
        for name, g in named.items():
            checks.check_finite(f"the gradient of {name}", g)
    return math.sqrt(total)


def sign(grads: LayerArrays) -> None:
    """Replace each entry of the gradients by its sign, -1, 0 or 1, in place.

    With Adam, the size of an update then depends on how often an entry changes its sign, and no
    longer on how large a few gradients are. With :func:`sgd` this is signSGD (Bernstein and others,
    2018).

    >>> g = np.array([3.0, -0.004, 0.0])
    >>> sign([None, {"b": g}])
    >>> g
    array([ 1., -1.,  0.])
    """
    for g in named_arrays(grads).values():
        np.sign(g, out=g)


def clip(grads: LayerArrays, limit: float) -> None:
    """Scale gradients in place, to the norm ``limit`` where theirs is larger.

    >>> g = np.array([3.0, 4.0])
    >>> clip([None, {"b": g}], limit=1.0)
    >>> g
    array([0.6, 0.8])
    """
    norm = gradient_norm(grads)
    if norm > limit:
        for g in named_arrays(grads).values():
            g *= limit / norm


def update_average(average: Params, params: Params, decay: float) -> None:
    """Average the weights, in place: average ← decay · average + (1 - decay) · params."""
    for mean, p in chunks(average.arrays(), params.arrays()):
        mean += (1 - decay) * (p - mean)  # ema


def chunks(*groups: Mapping[str, Array]) -> Iterator[list[Array]]:
    """Yield chunks of arrays of the same shapes, side by side.

    The second group, the gradients, is read; the others may be changed, and lie in memory alike.
    """
    for name in groups[0]:
        arrays = [group[name] for group in groups]
        # All with the axes as they lie in the first one's memory.
        aligned = arrays if arrays[0].flags.c_contiguous else [a.T for a in arrays]
        if not all(a.flags.c_contiguous for a in (*aligned[:1], *aligned[2:])):
            raise ValueError(
                f"{name} must be a contiguous array, since it is changed in place, and lie in the "
                "optimizer's state as in the parameters; pass np.ascontiguousarray(...).copy()"
            )
        flat = [a.reshape(-1) for a in aligned]
        for i in range(0, len(flat[0]), CHUNK):
            yield [a[i : i + CHUNK] for a in flat]
