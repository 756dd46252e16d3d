"""Parameters, gradients, adjoints, and the forward pass with its trace, one step at a time.

Index = superscript: ``W[n]``, ``b[n]``, ``U[n][t]``, ``O[n][t]`` for n = 0..N. ``O[0]`` is the
input; ``W[0]``, ``b[0]`` and ``U[0]`` are None. Code counts t from 0: the paper's t is ours + 1.
"""

from __future__ import annotations  # np.random is loaded where it is used

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from stbp_edu import checks
from stbp_edu.checks import Array
from stbp_edu.neuron import LIF, check_lif

Spike = Callable[[Array], Array]
"""o(u): potentials to spikes, elementwise."""


@dataclass(frozen=True)
class Params:
    """Weights and biases of a network of N layers.

    Attributes:
        W: N + 1 entries; ``W[0]`` is None, ``W[n]`` has shape (n[n], n[n-1]), w_ij from j to i.
        b: N + 1 entries; ``b[0]`` is None, ``b[n]`` has shape (n[n],).

    Raises:
        TypeError: if an entry is no array, is not float32 or float64, or the dtypes are mixed.
        ValueError: if the lists differ in length, shapes do not chain, or a value is not finite.

    >>> Params(W=[None, np.zeros((3, 2))], b=[None, np.zeros(3)]).sizes
    (2, 3)
    """

    W: Sequence[Any]
    b: Sequence[Any]

    def __post_init__(self) -> None:
        """Check that the layers fit together."""
        for name, entries in (("W", self.W), ("b", self.b)):
            if (
                not isinstance(entries, (list, tuple))
                or len(entries) < 2
                or entries[0] is not None
            ):
                raise ValueError(
                    f"{name} must be a list [None, {name}[1], ..., {name}[N]], so that the index "
                    f"is the layer, got {checks.brief(entries)}; put None first"
                )
        if len(self.W) != len(self.b):
            raise ValueError(
                f"b must have as many entries as W = {len(self.W)}, got {len(self.b)}; "
                "give one weight matrix and one bias for each layer"
            )
        dtype, width = None, None
        for n in range(1, len(self.W)):
            axes = f"(n[{n}], n[{n - 1}])"
            W_n = checks.array(f"W[{n}]", self.W[n], axes, (None, width), dtype=dtype)
            dtype, width = W_n.dtype, W_n.shape[0]
            checks.array(f"b[{n}]", self.b[n], f"(n[{n}],)", (width,), dtype=dtype)

    @property
    def N(self) -> int:  # noqa: N802 - the letter of the notation table
        """Number of layers, the input not counted."""
        return len(self.W) - 1

    @property
    def sizes(self) -> tuple[int, ...]:
        """Widths (n[0], ..., n[N])."""
        return (self.W[1].shape[1], *(w.shape[0] for w in self.W[1:]))

    @property
    def dtype(self) -> np.dtype[Any]:
        """The float type that every computation with these parameters uses."""
        return self.W[1].dtype


@dataclass(frozen=True)
class Gradients:
    """dL/dW and dL/db, indexed and shaped as in :class:`Params`; ``W[0]`` and ``b[0]`` are None."""

    W: Sequence[Any]
    b: Sequence[Any]


@dataclass(frozen=True)
class Adjoints:
    """The derivatives of the loss with respect to every spike, potential and parameter.

    Attributes:
        delta: δ = dL/do; ``delta[n]`` has shape (T, S, n[n]), ``delta[0]`` is None.
        epsilon: ε = dL/du; as ``delta``.
    """

    delta: Sequence[Any]
    epsilon: Sequence[Any]
    gradients: Gradients


@dataclass(frozen=True)
class Trace:
    """The potentials and spikes of a forward pass: each array has shape (T, S, n[n]).

    Attributes:
        U: potentials; ``U[0]`` is None.
        O: spikes; ``O[0]`` is the input.
    """

    U: Sequence[Any]
    O: Sequence[Any]


def init_params(
    sizes: Sequence[int],
    rng: np.random.Generator,
    dtype: Any = np.float64,
    *,
    scheme: str = "unit-rows",
    scale: float = 1.0,
) -> Params:
    """Draw initial weights; biases are zero.

    Args:
        sizes: widths (n[0], ..., n[N]), at least two, each >= 1.
        rng: a seeded ``np.random.Generator``.
        dtype: np.float64 (to learn and to check) or np.float32 (to train).
        scheme: ``"unit-rows"``, as in the notes: uniform in [-1, 1], each row divided by its
            Euclidean norm, so that a neuron's input keeps its size whatever the width below;
            ``"uniform"``: uniform with limit √(6 / l), where l is the width below.
        scale: factor on all weights; > 0.

    Raises:
        TypeError: if a size is no integer, ``rng`` no generator, or ``dtype`` no float.
        ValueError: if a size is < 1, there are fewer than two, or ``scheme`` is unknown.

    >>> p = init_params([4, 3, 2], np.random.default_rng(0))
    >>> np.linalg.norm(p.W[1], axis=1).round(12)
    array([1., 1., 1.])
    """
    widths = checks.widths("sizes", sizes, at_least=2)
    drawn = (draw_weights(l, m, rng, dtype, scheme, scale) for l, m in pairwise(widths))
    return Params(W=[None, *drawn], b=[None, *(np.zeros(m, dtype) for m in widths[1:])])


def draw_weights(
    n_in: int,
    n_out: int,
    rng: np.random.Generator,
    dtype: Any,
    scheme: str,
    scale: float,
) -> Array:
    """Return W of one layer, as :func:`init_params` draws it."""
    checks.generator("rng", rng)
    checks.choice("scheme", scheme, ("unit-rows", "uniform"))
    scale = checks.number("scale", scale, positive=True)
    checks.float_dtype("dtype", dtype)
    w = rng.uniform(-1, 1, (n_out, n_in))
    if scheme == "unit-rows":
        w /= np.linalg.norm(w, axis=1, keepdims=True)  # init-unit-rows
    else:
        w *= np.sqrt(6 / n_in)  # init-uniform
    return (scale * w).astype(dtype)


def check_spikes(spikes: Array, params: Params) -> tuple[int, int]:
    """Check the input of a network, any finite numbers, and return (T, S)."""
    checks.instance("params", params, Params)
    shape = (None, None, params.sizes[0])
    checks.array("spikes", spikes, "(T, S, n[0])", shape, dtype=params.dtype)
    return spikes.shape[0], spikes.shape[1]


def check_spike(spike: Spike | None) -> Spike | None:
    """Return the function o(u) if it is one, and gives an array of the potentials' shape."""
    try:
        fits = spike is None or np.shape(spike(np.zeros((1, 2)))) == (1, 2)
    except Exception:  # it is no function, or of something else
        fits = False
    if not fits:
        raise TypeError(
            f"spike must be a function from an array of potentials to one of spikes, got "
            f"{checks.brief(spike)}; pass for example neuron.H"
        )
    return spike


def check_trace(trace: Trace, params: Params) -> tuple[int, int]:
    """Check that a trace belongs to these parameters and return (T, S)."""
    checks.instance("params", params, Params)
    checks.instance("trace", trace, Trace)
    for name, entries in (("trace.U", trace.U), ("trace.O", trace.O)):
        if not isinstance(entries, (list, tuple)) or len(entries) != params.N + 1:
            raise ValueError(
                f"{name} must be a list of N + 1 = {params.N + 1} entries, got "
                f"{checks.brief(entries)}; pass the trace that forward made with these params"
            )
    T, S = check_spikes(trace.O[0], params)
    for n in range(1, params.N + 1):
        axes, shape = f"(T, S, n[{n}])", (T, S, params.sizes[n])
        checks.array(f"trace.U[{n}]", trace.U[n], axes, shape, dtype=params.dtype)
        checks.array(f"trace.O[{n}]", trace.O[n], axes, shape, dtype=params.dtype)
    return T, S


def forward(
    spikes: Array, params: Params, neuron: LIF, *, spike: Spike | None = None
) -> Trace:
    """Run the network one time step after the other (ids ``fwd-x``, ``fwd-u``, ``fwd-o``).

    Args:
        spikes: the input O^0, shape (T, S, n[0]): spikes, or any finite numbers.
        params: weights and biases; their dtype decides the computation's.
        neuron: constants and gate.
        spike: the function o(u); the Heaviside spike ``neuron.g`` where None,
            ``neuron.H`` for the smooth twin.

    Raises:
        TypeError, ValueError: if ``spikes`` has the wrong rank, shape or dtype, or is not finite.

    >>> p = Params(W=[None, np.array([[1.0]])], b=[None, np.array([0.6])])
    >>> forward(np.ones((3, 1, 1)), p, LIF(tau=0.5, v_th=2.0)).O[1].ravel()
    array([0., 1., 0.])
    """
    T, S = check_spikes(spikes, params)
    check_lif(neuron)
    g = check_spike(spike) or neuron.g
    W, b = params.W, params.b
    U: list[Any] = [
        None,
        *(np.full((T, S, m), np.nan, params.dtype) for m in params.sizes[1:]),
    ]
    O: list[Any] = [
        spikes,
        *(u.copy() for u in U[1:]),
    ]  # to be filled: nothing is known yet
    for t in range(T):
        for n in range(1, params.N + 1):
            x = O[n - 1][t] @ W[n].T  # fwd-x
            carried = (
                neuron.carried(U[n][t - 1], O[n][t - 1]) if t > 0 else 0.0
            )  # u^0 = o^0 = 0
            U[n][t] = carried + x + b[n]  # fwd-u
            O[n][t] = g(U[n][t])  # fwd-o
    return Trace(U=U, O=O)
