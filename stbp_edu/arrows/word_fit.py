"""How often a gradient function counts each word, by least squares from its gradients alone."""

from collections import defaultdict
from collections.abc import Callable
from typing import Any

import numpy as np

from stbp_edu.arrows.adjoints import through_link
from stbp_edu.arrows.factors import LocalDerivatives, local_derivatives
from stbp_edu.arrows.forward_run import forward
from stbp_edu.arrows.models import Network, Trace
from stbp_edu.arrows.parameters import LayerParams, draw_params
from stbp_edu.arrows.paths import Node, Word, paths_from

Function = Callable[..., Any]
Run = tuple[LayerParams, Trace, Any]
"""Parameters, trace and targets."""
RUNS = 30
FITS = 1e-6  # what a fit may leave, relative to the gradients


def random_run(net: Network, T: int, twin: bool, rng: np.random.Generator) -> Run:
    """Return (params, trace, targets) of a random run with two samples."""
    params = draw_params(net, rng, scale=1.5)
    for p in params[1:]:
        p["b"] = rng.normal(0.2, 0.3, p["b"].shape)
    inputs = rng.random((T, 2, *net.shape))
    if not twin:
        inputs = np.round(inputs)
    return params, forward(net, params, inputs, twin=twin), rng.random((2, *net.shape_of(net.N)))


def fit_words(
    function: Function, net: Network, twin: bool, rng: np.random.Generator
) -> dict[Word, float]:
    """Return the coefficient of each word by least squares, or {} if none fit.

    Words that contribute nothing on any of the runs are left out: nothing is known of them.
    """
    rows: list[dict[int, Any]] = []
    for _ in range(RUNS):
        params, trace, targets = random_run(net, 3, twin, rng)
        got = function(net, params, trace, targets)
        local = local_derivatives(net, params, trace, targets)
        told = [n for n in range(1, net.N + 1) if {"W", "b"} & got[n].keys()]
        rows.append({n: _equations(local, trace, got, n) for n in told})
    result: dict[Word, float] = {}
    for n in rows[0]:
        words = sorted({w for row in rows for w, column in row[n][0].items() if column.any()})
        y = np.concatenate([row[n][1] for row in rows])
        columns = [[row[n][0].get(w, 0 * row[n][1]) for row in rows] for w in words]
        A = np.reshape(columns, (len(words), len(y))).T
        scale = np.linalg.norm(A, axis=0)
        c = np.linalg.lstsq(A / scale, y, rcond=None)[0] / scale
        if np.linalg.norm(A @ c - y) > FITS * max(float(np.linalg.norm(y)), 1e-30):
            return {}
        result |= dict(zip(words, c.tolist(), strict=True))
    return result


def _equations(local: LocalDerivatives, trace: Trace, got: Any, n: int) -> tuple[Any, Any]:
    """Return for each word what its paths contribute to the gradients of a layer, and these."""
    net = local.net
    layer = net.layers[n]
    state = layer.neuron.input
    lead = local.direct.shape[:2]
    epsilon: dict[Word, Any] = defaultdict(lambda: np.zeros((*lead, *net.shape_of(n))))
    for at in np.ndindex(*lead, int(np.prod(net.shape_of(n)))):
        for path in paths_from(Node(state, n, at[0], at[2]), local, s=at[1]):
            epsilon[("enter", *path.word)][at[0], at[1]].flat[at[2]] += path.contribution

    def flat(found: Any) -> Any:
        """Return the gradients that are told as one column."""
        return np.concatenate([np.ravel(found[k]) for k in ("W", "b") if k in got[n]])

    into = trace[net.output_of(n - 1)][n - 1]
    columns = {word: flat(through_link(layer.link, e, into)) for word, e in epsilon.items()}
    return columns, flat(got[n])
