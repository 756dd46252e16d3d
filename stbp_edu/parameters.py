"""Parameters and gradients of every network, their arrays by name, and parameters as a file.

Index = superscript: ``W[n]`` and ``b[n]`` for n = 0..N; ``W[0]`` and ``b[0]`` are None. Recurrent
weights are ``R[n]``, and a constant that layer n learns is ``learned["tau"][n]``.
"""

from __future__ import annotations  # np.random is loaded where it is used

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from stbp_edu._support import checks, files
from stbp_edu._support.checks import Array, ByLayer
from stbp_edu._support.links import widths

NAME = re.compile(r"([WbR](?=\d)|\w+(?=\.))\.?(\d{1,4})")
SMALL = 10_000  # entries of an array that is compared as it is, and not by its sum of squares
WEIGHTS = ("W", "b", "R")
"""What a layer has beside the constants that it learns."""


@dataclass(frozen=True)
class _Arrays:
    W: ByLayer
    b: ByLayer
    R: ByLayer = ()
    learned: Mapping[str, ByLayer] = field(default_factory=dict)

    def arrays(self) -> dict[str, Array]:
        """Return the arrays by name: W1, b1, R1, and constants such as tau.1."""
        return named_arrays(self)


@dataclass(frozen=True)
class Params(_Arrays):
    """Weights, biases and all else that the N layers of a network learn.

    Attributes:
        W: N + 1 entries; ``W[0]`` is None, ``W[n]`` has shape (n[n], n[n-1]), w_ij from j to i; of
            a convolution (channels, channels below, k, k).
        b: N + 1 entries; ``b[0]`` is None, ``b[n]`` has shape (n[n],), or (channels,).
        R: as ``W``, the recurrent weights, shape (n[n], n[n]); None where a layer has none.
        learned: by name, the constants that layers learn, N + 1 entries each: arrays of shape ()
            or with one for each neuron; None where a layer does not learn it.
        shape: the sizes as a text, such as ``28x28-15C5-P2-300-10``; needed where a layer is a
            convolution, or reads the means of blocks.

    Raises:
        TypeError: if an entry is not an array, is not float32 or float64, or the dtypes are mixed.
        ValueError: if the lists differ in length, shapes do not chain, or a value is not finite.

    >>> params = Params(W=[None, np.zeros((3, 2))], b=[None, np.zeros(3)])
    >>> params.sizes
    (2, 3)
    >>> for name, array in params.arrays().items():
    ...     print(name, array.shape)
    W1 (3, 2)
    b1 (3,)
    """

    shape: str = ""

    def __post_init__(self) -> None:
        """Check that the layers fit together."""
        checks.fields("params", self, learned=Mapping, shape=str)
        count = len(self.W) if isinstance(self.W, list | tuple) else 0
        if isinstance(self.R, list | tuple) and not self.R:
            object.__setattr__(self, "R", [None] * count)
        others = {"R": self.R}
        for constant, entries in self.learned.items():
            others[f"learned[{constant!r}]"] = entries
        for name, entries in {"W": self.W, "b": self.b, **others}.items():
            listed = isinstance(entries, list | tuple) and len(entries) == count >= 2
            if not listed or entries[0] is not None:
                raise ValueError(
                    f"{name} must be a list [None, {name}[1], ..., {name}[N]] with an entry for "
                    "each layer of W, so that the index is the layer, got "
                    f"{checks.brief(entries)}; put None first"
                )
        if self.shape and len(widths(self.shape)) != count:
            raise ValueError(
                f"shape must name as many layers as W has, N = {self.N}, got {self.shape!r}; give "
                "the sizes of this network"
            )
        dtype = width = None
        for n in range(1, count):
            W: Any = self.W[n]
            shape: Any = (None, width)
            if self.shape:  # kernels have more axes, and read channels
                shape = (None,) * max(2, getattr(W, "ndim", 2))
            W = checks.array(f"W[{n}]", W, f"(n[{n}], n[{n - 1}])", shape, dtype=dtype)
            dtype, width = W.dtype, W.shape[0]
            checks.array(f"b[{n}]", self.b[n], f"(n[{n}],)", (width,), dtype=dtype)
            for name, entries in others.items():
                if entries[n] is not None:
                    shape = getattr(entries[n], "shape", ())
                    checks.array(
                        f"{name}[{n}]", entries[n], "(n[n], ...)", shape, dtype=dtype
                    )

    @property
    def N(self) -> int:  # noqa: N802 - the letter of the notation table
        """Number of layers, the input not counted."""
        return len(self.W) - 1

    @property
    def sizes(self) -> tuple[int, ...]:
        """Widths (n[0], ..., n[N]): how many neurons each layer has."""
        if self.shape:
            return widths(self.shape)
        n_out = [W.shape[0] for W in self.W[1:]]
        n_in = self.W[1].shape[1]
        return (n_in, *n_out)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The float type that every computation with these parameters uses."""
        return np.dtype(self.W[1].dtype)


@dataclass(frozen=True)
class Gradients(_Arrays):
    """The derivatives of the loss, indexed and shaped as in :class:`Params`."""


LayerArrays: TypeAlias = _Arrays | Sequence[Any]
"""Arrays of all layers: parameters, gradients, or None and then a dictionary for each layer."""


def by_layer(of: LayerArrays) -> list[Any]:
    """Return None, then a dictionary of the arrays of each layer by name: W, b, R, constants.

    >>> by_layer(Gradients(W=[None, np.ones((1, 1))], b=[None, np.ones(1)]))
    [None, {'W': array([[1.]]), 'b': array([1.])}]
    """
    if not isinstance(of, _Arrays):
        return list(of)
    R = of.R or [None] * len(of.W)
    groups = {"W": of.W, "b": of.b, "R": R, **of.learned}
    layers: list[Any] = [None]
    for n in range(1, len(of.W)):
        entries = {name: arrays[n] for name, arrays in groups.items()}
        layers.append({k: array for k, array in entries.items() if array is not None})
    return layers


def by_name(layers: Sequence[Any]) -> dict[str, Any]:
    """Return the fields of :class:`Params` or :class:`Gradients` from a dictionary a layer.

    >>> Gradients(**by_name([None, {"W": np.ones((1, 1)), "b": np.ones(1)}])).W[1]
    array([[1.]])
    """
    entries: dict[str, Any] = {}
    for name in dict.fromkeys(name for layer in layers[1:] for name in layer):
        entries[name] = [None, *(layer.get(name) for layer in layers[1:])]
    learned = {k: entries.pop(k) for k in [*entries] if k not in WEIGHTS}
    return {**entries, "learned": learned}


def named_arrays(of: LayerArrays) -> dict[str, Array]:
    """Return the arrays by name, layer after layer: W1, b1, R1, and constants such as tau.1.

    >>> list(named_arrays(Params(W=[None, np.zeros((2, 1))], b=[None, np.zeros(2)])))
    ['W1', 'b1']
    """
    named = {}
    for n, layer in enumerate(by_layer(of)[1:], 1):
        for name, array in layer.items():
            key = f"{name}{n}" if name in WEIGHTS else f"{name}.{n}"
            named[key] = array
    return named


def fingerprint(params: Params) -> bytes:
    """Return what differs if an array of the parameters has been changed in place.

    Of a large one it has the sum of squares, which takes far less time than a step of a network.
    """
    found = b""
    for array in params.arrays().values():
        flat = array.ravel(order="K")
        found += flat.tobytes() if flat.size < SMALL else np.vdot(flat, flat).tobytes()
    return found


def from_named(arrays: Mapping[str, Array]) -> list[Any]:
    """Return arrays by layer from those that :func:`named_arrays` names."""
    layers: dict[int, dict[str, Array]] = {}
    for name, array in arrays.items():
        found = NAME.fullmatch(name)
        if found:
            layers.setdefault(int(found[2]), {})[found[1]] = array
    numbers = [*range(1, len(layers) + 1)]
    read = sum(map(len, layers.values()))
    whole = 0 < read == len(arrays) and sorted(layers) == numbers
    if not whole or not all({"W", "b"} <= layer.keys() for layer in layers.values()):
        raise ValueError(
            f"it must hold W1, b1, ..., W[N], b[N], and has {sorted(arrays)}"
        )
    return [None, *(layers[n] for n in numbers)]


def sizes_of(params: Params) -> str:
    """Return the sizes of a network of these parameters, as a text.

    >>> sizes_of(Params(W=[None, np.zeros((3, 2))], b=[None, np.zeros(3)]))
    '2-3'
    """
    again = ["" if R is None else "R" for R in params.R]
    parts = [f"{size}{R}" for size, R in zip(params.sizes, again, strict=True)]
    return params.shape or "-".join(parts)


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
            Euclidean norm, so a neuron's input keeps its size whatever the width below;
            ``"uniform"``: uniform with limit √(6 / l), where l is the width below.
        scale: factor on all weights; > 0.

    Raises:
        TypeError: if a size is not an integer, ``rng`` no generator, or ``dtype`` no float.
        ValueError: if a size is < 1, there are fewer than two, or ``scheme`` is unknown.

    >>> p = init_params([4, 3, 2], np.random.default_rng(0))
    >>> np.linalg.norm(p.W[1], axis=1).round(12)
    array([1., 1., 1.])
    """
    widths = checks.widths("sizes", sizes, at_least=2)
    layers: list[Any] = [None]
    for n_in, n_out in pairwise(widths):
        W = draw_weights((n_out, n_in), rng, dtype, scheme, scale)
        layers.append({"W": W, "b": np.zeros(n_out, dtype)})
    return Params(**by_name(layers))


def draw_weights(
    shape: tuple[int, ...],
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
    outputs, *by_input = shape
    inputs = math.prod(by_input)
    w = rng.uniform(-1, 1, (outputs, inputs))
    if scheme == "unit-rows":
        w /= np.linalg.norm(w, axis=1, keepdims=True)  # init-unit-rows
    else:
        w *= np.sqrt(6 / inputs)  # init-uniform
    return (scale * w).astype(dtype).reshape(shape)


def save_params(path: str | Path, params: Params) -> None:
    """Save parameters as npz, named W1, b1, R1, tau.1, W2, ... (no pickle), and their shape.

    Raises:
        FileNotFoundError: if the folder of the path is missing.
        TypeError, ValueError: if the path or the parameters are not usable.
    """
    checks.instance("params", params, Params)
    path = files.as_path("path", path)
    if not path.parent.is_dir():
        raise FileNotFoundError(
            f"path must be in a folder that exists, got {str(path)!r}, and there is no folder "
            f"{str(path.parent)!r}; check the spelling, or make it"
        )
    files.write_arrays(path, params.arrays(), {"shape": params.shape})


def load_params(path: str | Path) -> Params:
    """Return the parameters that :func:`save_params` wrote.

    Raises:
        FileNotFoundError, ValueError: if the file is missing, damaged, or not of a network.
    """
    path = files.as_path("path", path)
    arrays = files.read_arrays(path)
    with files.reading(path, "parameters that `stbp-edu train` or save_params wrote"):
        shape = files.read_values(arrays).get("shape", "")
        return as_params(arrays, checks.instance("shape", shape, str))


def as_params(arrays: Mapping[str, Any], shape: str) -> Params:
    """Return parameters from arrays named W1, b1, ..., and their shape as a text."""
    return Params(**by_name(from_named(arrays)), shape=shape)
