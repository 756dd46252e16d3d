"""The forward pass of the course, one step at a time, with its trace; and adjoints.

Index = superscript: ``W[n]``, ``b[n]``, ``U[n][t]``, ``O[n][t]`` for n = 0..N. ``O[0]`` is the
input; ``W[0]``, ``b[0]`` and ``U[0]`` are None. Code counts t from 0: the paper's t is ours + 1.
"""

from __future__ import annotations  # np.random is loaded where it is used

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from stbp_edu._support import checks
from stbp_edu._support.checks import Array, ByLayer
from stbp_edu.neuron import LIF, LINES, check_lif
from stbp_edu.parameters import Gradients, Params, fingerprint, sizes_of

Spike = Callable[[Array], Array]
"""o(u): potentials to spikes, elementwise."""


@dataclass(frozen=True)
class Adjoints:
    """The derivatives of the loss with respect to every spike, potential and parameter.

    Attributes:
        delta: δ = dL/do; ``delta[n]`` has shape (T, S, n[n]), ``delta[0]`` is None.
        epsilon: ε = dL/du; as ``delta``.
    """

    delta: ByLayer
    epsilon: ByLayer
    gradients: Gradients


@dataclass(frozen=True)
class Trace:
    """The states of a forward pass: each array has shape (T, S, n[n]).

    Attributes:
        U: potentials; ``U[0]`` is None.
        O: spikes, or what a layer without spikes gives to the next one; ``O[0]`` is the input.
        states: by name, every state of a neuron of your own: ``states["i"][n]``, None where layer
            n has no such state. Empty for the passes of the course, which have U and O.
        smooth: whether it is a run of the smooth twin by ``stbp_edu.network``.
        made_with: what tells the parameters and the neuron of the pass from others; None where
            nobody says.
    """

    U: ByLayer
    O: ByLayer
    states: Mapping[str, ByLayer] = field(default_factory=dict)
    smooth: bool = False
    made_with: Any = field(default=None, repr=False)

    def __getitem__(self, state: str) -> ByLayer:
        """Return a state by its name, a list over layers.

        >>> u = [None, np.zeros((1, 1, 1))]
        >>> Trace(U=u, O=u)["u"] is u
        True
        """
        named = self.states or {"u": self.U, "o": self.O}
        return named[checks.choice("state", state, named)]


def check_spikes(spikes: Array, params: Params) -> tuple[int, int]:
    """Check the input of a network of W and b alone, any finite numbers, and return (T, S)."""
    sizes = sizes_of(checks.instance("params", params, Params))
    if {*"CPR"} & {*sizes} or params.learned:
        raise ValueError(
            "params must be W and b of fully connected layers alone here, got those of "
            f"{sizes} and {[*params.learned]}; for convolutions, recurrent weights and learned "
            "constants build stbp_edu.network(sizes, neuron), and call its forward and backward"
        )
    Params(params.W, params.b)  # its arrays may no longer be finite
    checks.array(
        "spikes",
        spikes,
        "(T, S, n[0])",
        (None, None, params.sizes[0]),
        dtype=params.dtype,
    )
    return spikes.shape[0], spikes.shape[1]


def check_spike(spike: Spike | None) -> Spike | None:
    """Return the function o(u) if it is one, and gives an array of the potentials' shape."""
    try:
        fits = spike is None or np.shape(spike(np.zeros((1, 2)))) == (1, 2)
    except Exception:  # not a function, or of something else
        fits = False
    if not fits:
        raise TypeError(
            f"spike must be a function from an array of potentials to one of spikes, got "
            f"{checks.brief(spike)}; pass for example neuron.H"
        )
    return spike


def made_with(params: Params, neurons: Sequence[tuple[str, Any]]) -> Any:
    """Return what tells a pass from others: parameters, and the lines and constants by layer."""
    return fingerprint(params), [*neurons]


def _lines_of(neuron: LIF, params: Params) -> list[tuple[str, Any]]:
    """Return the lines and constants by layer: not the surrogate, which no forward pass reads."""
    constants = {"tau": neuron.tau, "v_th": neuron.v_th}
    return [(LINES[neuron.gate], constants)] * params.N


def check_made_with(trace: Trace, now: Any) -> None:
    """Raise ValueError if a trace is known to be of other neurons or parameters than these now."""
    if trace.made_with not in (None, now):
        raise ValueError(
            "trace must be that of this neuron and of params as they are now, got one of another "
            "neuron (tau, v_th, gate or lines) or of other parameters, or params were changed in "
            "place since; call forward again, and change them after backward"
        )


def check_trace(trace: Trace, params: Params, neuron: LIF) -> tuple[int, int]:
    """Check that a trace belongs to these parameters and this neuron, and return (T, S)."""
    check_lif(neuron)
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
    check_made_with(trace, made_with(params, _lines_of(neuron, params)))
    return T, S


def forward(
    spikes: ArrayLike, params: Params, neuron: LIF, *, spike: Spike | None = None
) -> Trace:
    """Run the network one time step after the other (ids ``fwd-x``, ``fwd-u``, ``fwd-o``).

    Args:
        spikes: the input O^0, shape (T, S, n[0]): spikes, or any finite numbers. The trace has a
            copy, unless the array is read-only.
        params: weights and biases; their dtype decides the computation's.
        neuron: constants and gate.
        spike: the function o(u); the Heaviside spike ``neuron.g`` where None,
            ``neuron.H`` for the smooth twin.

    Raises:
        TypeError, ValueError: if ``spikes`` has the wrong rank or shape, or is not finite; or
            ``params`` are not finite, or have more than W and b of fully connected layers.

    >>> p = Params(W=[None, np.array([[1.0]])], b=[None, np.array([0.6])])
    >>> forward(np.ones((3, 1, 1)), p, LIF(tau=0.5, v_th=2.0)).O[1].ravel()
    array([0., 1., 0.])
    """
    check_lif(neuron)
    dtype = checks.instance("params", params, Params).dtype
    spikes = checks.numbers("spikes", spikes, "(T, S, n[0])", dtype)
    T, S = check_spikes(spikes, params)
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
    return Trace(U=U, O=O, made_with=made_with(params, _lines_of(neuron, params)))
