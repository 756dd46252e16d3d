"""The network that a run trains, by its derived program: parameters, passes, dropout, FGSM."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stbp_edu import arrows
from stbp_edu.arrays import (
    DerivedParams,
    Tensors,
    Trained,
    Workspace,
    by_layer,
    hidden_of,
)
from stbp_edu.arrows import Loss, Network
from stbp_edu.arrows.forward_run import check_params
from stbp_edu.arrows.part_one import by_name
from stbp_edu.checks import Array
from stbp_edu.engine import Program
from stbp_edu.engine.passes import Passes, States
from stbp_edu.forward_pass import Params, Trace, draw_weights
from stbp_edu.losses import (
    RATE,
    CrossEntropy,
    LastSteps,
    Membrane,
    Rate,
    StepCrossEntropy,
)
from stbp_edu.losses.reading import Built
from stbp_edu.training.encoders import TIMED, encode, inputs
from stbp_edu.training.settings import Settings

MUCH = 100_000_000
"""Products of weights and spikes in a step from which it pays to compile."""

FITS: dict[type[Built], Any] = {
    **dict.fromkeys((Rate, LastSteps, Membrane), RATE),
    **dict.fromkeys((CrossEntropy, StepCrossEntropy), CrossEntropy()),
}
"""What :class:`.arrows.Loss` calls the fit: of a mean over steps, or of each step."""


def initial_params(
    settings: Settings, image: tuple[int, ...], classes: int, rng: np.random.Generator
) -> Trained:
    """Draw float32 parameters: biases zero, constants that are learned at their value.

    Weights that leave one neuron lie side by side in memory, for layers that go spike by spike.

    Raises:
        ValueError: if the layers do not fit the images, or the rule reaches none of them.
    """
    shape = settings.shape(image, classes)
    net = network_of(settings, shape)
    settings.make_rule().check(net)
    layers: list[Any] = [None]
    for layer in net.layers[1:]:
        arrays, constants = {}, layer.neuron.lines.constants
        for name, size in layer.shapes.items():
            arrays[name] = np.full(size, constants.get(name, 0), np.float32)
            if name in ("W", "R"):
                how = settings.init, settings.init_scale
                W = draw_weights(
                    math.prod(size[1:]), size[0], rng, np.float32, *how
                ).reshape(size)
                arrays[name] = np.asfortranarray(W) if W.ndim == 2 else W
        layers.append(arrays)
    return (
        DerivedParams(shape, layers)
        if settings.is_derived
        else Params(**by_name(layers))
    )


@lru_cache(maxsize=16)
def network_of(settings: Settings, shape: str) -> Network:
    """Return the network of these settings as a table of arrows, with the loss that they name."""
    hidden, last = settings.make_neurons()
    layers = sum(part[0] != "P" for part in shape.split("-")[1:])
    loss = settings.make_loss()
    reads = last.lines.potential if loss.reads == "U" else last.output
    if (fit := FITS.get(type(loss))) is None:
        read: Loss = OwnLoss(settings.loss, reads, whole=loss)
    else:
        of_steps = isinstance(loss, StepCrossEntropy)
        read = Loss(settings.loss, reads, fit, getattr(loss, "k", None), of_steps)
    return arrows.network(shape, [*[hidden] * (layers - 1), last], read)


@dataclass(frozen=True)
class OwnLoss(Loss):
    """A loss that fits neither a mean nor each step, with its own formulas."""

    whole: Built = RATE

    def value(self, series: Array, y: Array) -> float:
        """Return L of the states read, shape (T, S, n[N]), and the targets (S, n[N])."""
        return self.whole.formula(Trace([None, series], [series, series]), y)

    def direct(self, series: Array, y: Array) -> Array:
        """Return ∂L/∂state, shape (T, S, n[N])."""
        reads, trace = self.whole.reads, Trace([None, series], [series, series])
        o, u = self.whole.terms(trace, y)
        read, other = (u, o) if reads == "U" else (o, u)
        if read is None or other is not None:
            raise ValueError(
                f"loss must have a derivative by {reads}, which {self.name!r} says that it reads, "
                "and no other; set reads in its class to 'O' or 'U'"
            )
        return read


def check_fit(params: Trained, settings: Settings) -> None:
    """Raise ValueError where parameters are not those of the network of the settings."""
    plain = isinstance(params, Params)
    if hidden_of(params) != settings.hidden or (settings.is_derived and plain):
        raise ValueError(
            f"params must be of a network with hidden layers {settings.hidden} and the neurons of "
            f"the settings, got {hidden_of(params)}; give the settings that they were trained with"
        )
    if isinstance(params, DerivedParams):
        check_params(network_of(settings, params.shape), list(params.layers))


def check_data(
    params: Trained, settings: Settings, image: tuple[int, ...], classes: int
) -> None:
    """Raise ValueError where a network does not fit the size of an image and the classes."""
    got, want = (
        (params.sizes[0], params.sizes[-1]),
        (inputs(settings.encoder, image), classes),
    )
    if got[0] != want[0] or got[1] < want[1]:
        raise ValueError(
            f"params must be of a network with {want[0]} inputs and {want[1]} outputs for images "
            f"{image} and these labels, got {got[0]} and {got[1]}; give the data that it was "
            "trained on"
        )


@dataclass(frozen=True)
class Run(Trace):
    """A forward pass as losses read it, and the states of every layer by name."""

    states: States


@dataclass(frozen=True)
class Derived:
    """The passes through a network by its program, with the trace that its loss reads."""

    program: Program
    passes: Passes

    def forward(self, spikes: Array) -> Run:
        """Return every state at every step, from the input (T, S, n[0])."""
        states, (_, *layers) = self.passes.forward(spikes), self.program.net.layers
        both = [
            (of, layer.neuron) for of, layer in zip(states[1:], layers, strict=True)
        ]
        U = [of[neuron.lines.potential] for of, neuron in both]
        return Run(
            [None, *U], [spikes, *(of[neuron.output] for of, neuron in both)], states
        )

    def gradients(self, trace: Run, targets: Array) -> Tensors:
        """Return the gradient under the rule, by layer."""
        return self.passes.gradients(trace.states, self._direct(trace, targets))

    def input_gradient(self, trace: Run, targets: Array) -> Array:
        """Return Σ_t δ^{t,0}, (S, n[0]): the derivative by an input that all steps share.

        δ of the input is that of case 2, δ^{t,0} = (W^1)ᵀ err^{t,1}, at every step: the input
        carries no potential on to the next one. Spikes must be 0 or 1.
        """
        *_, (_, errors, _) = self.passes.down(
            trace.states, self._direct(trace, targets)
        )
        *_, err = errors.values()
        delta = np.empty((1, *trace.O[0].shape[1:]), err.dtype)
        self.passes.weights[1].transpose(
            err.sum(axis=0, keepdims=True), delta
        )  # c2-delta
        return np.asarray(delta[0])

    def _direct(self, trace: Run, targets: Array) -> dict[str, Array]:
        """Return the direct term, by the state that the loss reads."""
        loss = self.program.net.loss
        return {loss.state: loss.direct(trace.states[-1][loss.state], targets)}


@lru_cache(maxsize=16)
def program_of(settings: Settings, shape: str) -> Program:
    """Return the program of the network of these settings.

    Loops are compiled where that is asked for, or where a step is so much work that it pays.
    """
    net, backend = network_of(settings, shape), settings.backend
    if backend == "auto":
        products = (
            settings.batch * settings.T * sum(a * b for a, b in pairwise(net.sizes))
        )
        backend = "auto" if products >= MUCH else "numpy"
    rule, to_input = settings.make_rule(), settings.adversarial > 0
    return Program(net, rule, backend, work=Workspace(), to_input=to_input)


def encode_images(
    images: NDArray[Any],
    settings: Settings,
    T: int,
    rng: np.random.Generator,
    dtype: Any,
) -> Array:
    """Return the input of all steps, drawn anew from images (S, height, width).

    With the encoder ``direct``, all steps are the same memory.
    """
    encoder, steps = settings.encoder, 1 if settings.encoder == "direct" else T
    seen = images if encoder in TIMED else images.reshape(len(images), -1)
    shown = encode(encoder, seen, steps, rng, hold=settings.hold).astype(
        dtype, copy=False
    )
    return np.broadcast_to(shown, (T, *shown.shape[1:]))


def passes(params: Trained, settings: Settings) -> Derived:
    """Return the passes through the network of a run."""
    shape = getattr(params, "shape", "-".join(map(str, params.sizes)))
    program = program_of(settings, shape)
    return Derived(program, program.passes(by_layer(params)))


PassesOf = Callable[[Trained, Settings], Any]
"""Makes what has ``forward`` and ``gradients`` from parameters and settings."""

Factors = Sequence[Array]
"""For each of the layers 1..N - 1 the factor on what leaves each neuron; none without dropout."""


def draw_dropout(
    sizes: Sequence[int], dropout: float, rng: np.random.Generator
) -> Factors:
    """Return 0 for the hidden neurons that a step leaves out, and 1 / (share kept) for the others.

    >>> draw_dropout([2, 4, 1], 0.5, np.random.default_rng(0))[0]
    array([2., 0., 2., 0.])
    """
    factors = []
    for m in sizes[1:-1] if dropout else ():
        kept = rng.permutation(m)[: max(1, round((1 - dropout) * m))]
        factors.append(np.zeros(m))
        factors[-1][kept] = m / len(kept)
    return factors


def drop(arrays: Tensors, factors: Factors) -> list[Any]:
    """Return arrays by layer, the weights that leave each neuron times its factor."""
    layers: list[Any] = [None, *(dict(layer) for layer in by_layer(arrays)[1:])]
    for n, factor in enumerate(factors, 1):
        for name, layer in (("R", layers[n]), ("W", layers[n + 1])):
            if name in layer:
                layer[name] = layer[name] * factor.astype(layer[name].dtype)
    return layers


def with_dropout(params: Trained, factors: Factors) -> Trained:
    """Return the parameters of a step that leaves neurons out."""
    layers = drop(params, factors)
    if isinstance(params, DerivedParams):
        return replace(params, layers=layers)
    return Params(**by_name(layers))


def perturb(pixels: NDArray[Any], uphill: Array, by: float) -> NDArray[Any]:
    """Move each pixel by ``by`` the way that makes the loss larger: pixels + by · sign(uphill).

    This is the fast gradient sign method (Goodfellow, Shlens and Szegedy, 2015). An image whose
    rates are the target stays where it is, unless the step is targeted (Kurakin, Goodfellow and
    Bengio, 2017): down the loss whose targets are the other answers.

    Pixels are floats in [0, 1], or bytes, for which ``by``, a share of white, is rounded to whole
    grey levels, at least one.

    >>> perturb(np.array([[0, 100, 250]], np.uint8), np.array([[-1.0, 0.0, 1.0]]), by=0.06)
    array([[  0, 100, 255]], dtype=uint8)
    """
    white, size = (
        (255, max(1, round(255 * by))) if pixels.dtype == np.uint8 else (1, by)
    )
    return np.clip(pixels + size * np.sign(uphill), 0, white).astype(pixels.dtype)
