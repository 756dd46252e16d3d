"""The inputs that an exercise's function is called with.

An exercise's table says at which cells of networks they are taken: ``inputs = "case 3"``. Or it
draws them at random: ``draw`` is an expression in ``rng`` and the number ``k`` of the call, or a
body that returns the arguments, in the names of :mod:`stbp_edu.practice.tasks.programs`.

The names in a signature say what to pass: ``content/quantities.toml`` says how each is taken from
a network at a cell (t, n); ``err_next`` is err one step later, ``W_above`` is W one layer up.
"""

import ast
import copy
import pickle
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache, cached_property
from itertools import product
from typing import Any

import numpy as np

from stbp_edu._support.checks import Array
from stbp_edu._support.files import read_toml
from stbp_edu.cases import case_at, sweep
from stbp_edu.forward_pass import Adjoints, Trace, forward
from stbp_edu.neuron import LIF
from stbp_edu.parameters import Params
from stbp_edu.practice.tasks.catalogue import CONTENT, Exercise, FormulaBlank
from stbp_edu.practice.tasks.programs import AnswerFunction, define, source_of
from stbp_edu.surrogates import Gaussian, Sigmoid

EVERY = slice(None)
POINTS = 8  # at which formulas are compared
NOT_NEGATIVE = {
    *("a", "tau", "T", "S", "dt", "pi", "h", "h_next", "f", "f_next"),
    *("rate", "sum_o", "o", "o_1", "o_2", "o_3"),
}


def step_name(t: int) -> str:
    """Return a time step as formulas count it, from 1, and as code does, from 0.

    >>> step_name(1)
    't = 2 (index 1 in code)'
    """
    return f"t = {t + 1} (index {t} in code)"


@dataclass(frozen=True)
class ForwardPass:
    """A network with one forward pass through it, and the targets Y, shape (S, n[N]).

    ``description`` says which network it is, for messages and captions.
    """

    trace: Trace
    targets: Array
    params: Params
    neuron: LIF
    description: str = ""

    @property
    def shape(self) -> tuple[int, int, int]:
        """(T, S, N)."""
        T, S, _ = self.trace.O[0].shape
        return T, S, self.params.N

    @cached_property
    def signals(self) -> dict[str, list[Any]]:
        """What comes back in place of δ and ε: any numbers, since a formula holds for all.

        So no two are equal by chance, as δ ⊙ h and ε are at the last step.
        """
        rng, layers = np.random.default_rng([2019, *self.shape]), self.trace.U[1:]
        return {
            kind: [None, *(rng.normal(0.0, 0.3, u.shape) for u in layers)]
            for kind in ("delta", "epsilon", "gamma")
        }

    def sweep(self, rule: str) -> Adjoints:
        """Return δ, ε and the gradients of a rule."""
        return sweep(self.trace, self.targets, self.params, self.neuron, rule)

    def cells(self, case: int) -> Iterator[tuple[int, int]]:
        """Yield the cells (t, n) of this case, in the order of the backward sweep."""
        T, _, N = self.shape
        order = product(reversed(range(T)), range(N, 0, -1))
        yield from ((t, n) for t, n in order if case_at(t, n, T, N) == case)


@cache
def _table() -> dict[str, Any]:
    """Return the networks, and how quantities are taken from them."""
    return read_toml(CONTENT / "quantities.toml")


def probe_networks(kind: str = "cells") -> tuple[ForwardPass, ...]:
    """Return newly drawn networks; the same at every call and on every machine."""
    return tuple(draw_network(**row) for row in _table()["networks"][kind])


def wide_network() -> ForwardPass:
    """Return a network in which every layer below has more than T·S neurons."""
    return draw_network(**_table()["networks"]["whole"][-1])


def at_threshold() -> ForwardPass:
    """Return a network whose potential equals the threshold exactly."""
    params = Params(W=[None, np.ones((1, 1))], b=[None, np.zeros(1)])
    neuron = LIF(0.5, v_th=1.0)
    trace = forward(np.ones((3, 1, 1)), params, neuron)
    name = f"1-1 network, u = V_th at {step_name(0)}"
    return ForwardPass(trace, np.ones((1, 1)), params, neuron, name)


def draw_network(
    seed: int,
    sizes: tuple[int, ...],
    T: int,
    S: int,
    tau: float,
    smooth: bool,
    **others: Any,
) -> ForwardPass:
    """Return a random network, a smooth twin or a spiking one, with a forward pass.

    ``others`` are the threshold and the gate of its neuron, where they are not 0.6 and the curved.
    """
    rng = np.random.default_rng([2018, seed])
    curve = Sigmoid(a=0.4) if smooth else Gaussian(a=0.8)
    neuron = LIF(tau, surrogate=curve, **{"v_th": 0.6, **others})
    shapes = list(zip(sizes[1:], sizes[:-1], strict=True))
    W = [rng.uniform(-0.9, 1.2, shape) for shape in shapes]
    b = [rng.uniform(-0.2, 0.4, width) for width in sizes[1:]]
    params = Params(W=[None, *W], b=[None, *b])
    grey = rng.random((T, S, sizes[0]))
    spikes = grey if smooth else (grey < 0.6).astype(np.float64)
    trace = forward(spikes, params, neuron, spike=neuron.H if smooth else None)
    targets = rng.random((S, sizes[-1]))
    kind = "smooth twin" if smooth else "spiking network"
    widths = "-".join(map(str, sizes))
    description = f"{widths} {kind}, T = {T}, S = {S}, τ = {tau:g}"
    if neuron.gate == "linear":
        description += ", linear gate"
    return ForwardPass(trace, targets, params, neuron, description)


Place = tuple[Any, Any, str]
"""A step and a layer, or slices of all of them, and words for the place."""


def quantity(name: str, net: ForwardPass, t: Any, n: Any) -> Any:
    """Return the quantity of this name at (t, n)."""
    known = _table()["quantities"]
    base, _, elsewhere = name.partition("_")
    if name not in known:
        t, n = _taken("net, t, n", _table()["elsewhere"][elsewhere])(net, t, n)
    return _taken("net, t, n", known.get(name) or known[base])(net, t, n)


def one_neuron(name: str, net: ForwardPass, t: Any, n: Any) -> Any:
    """Return the quantity of this name at (t, n) for one neuron and one sample."""
    of_layer, entry = _table()["one_neuron"].get(name, (name, "float(x[-1, -1])"))
    return _taken("x", entry)(quantity(of_layer, net, t, n))


def _taken(arguments: str, expression: str) -> AnswerFunction:
    """Return an expression of the tables as a function."""
    return define(source_of(f"taken({arguments})", expression))


def _walk(inputs: str, net: ForwardPass) -> Iterator[Place]:
    """Yield the places at which quantities are taken.

    Cells of a case, and layers, come in the order of the backward sweep; other cells in the order
    of time. A whole network is one place: all steps of one layer, or of all layers.
    """
    T, _, N = net.shape
    network = f"the {net.description}"
    kind, *words = inputs.split()
    match kind:
        case "case":
            for t, n in net.cells(int(words[0])):
                last = ", the last step" if t == T - 1 else ""
                output = ", the output layer" if n == N else ""
                cell = f"{step_name(t)}{last}, n = {n}{output}, case {words[0]}"
                yield EVERY if "all" in words else t, n, f"{cell}, in {network}"
        case "layers":
            for n in range(N, 0, -1):
                yield EVERY, n, f"layer n = {n} of 1..{N}, case 5, in {network}"
        case "cells" | "grid":
            place = f"with T = {T}, N = {N}" if kind == "grid" else f"in {network}"
            steps = T - 1 if "before" in words else T
            for t, n in product(range(steps), range(N, 0, -1)):
                yield t, n, f"{step_name(t)}, n = {n}, {place}"
        case _:
            layer = {"first": 1, "programs": EVERY}.get(kind, N)
            yield EVERY, layer, network


@dataclass(frozen=True)
class Inputs:
    """The arguments of one call of the reader's function, which gets a copy.

    ``where`` says which network, and which cell (t, n) of its grid; ``right`` is what the function
    should return, where that is computed.
    """

    args: tuple[Any, ...]
    where: str
    right: Any = None


def inputs_of(exercise: Exercise) -> tuple[Inputs, ...]:
    """Return the inputs of every call that an exercise's function is graded on."""
    found = []
    if exercise.draw:
        draw = draw_of(exercise)
        for k in range(exercise.calls):
            args = draw(np.random.default_rng([1706, k]), k)  # each call's own
            numbers = ", ".join(
                step_name(int(a)) if name == "t" else f"{name} = {a:.4g}"
                for name, a in zip(exercise.arguments, args, strict=False)
                if isinstance(a, (int, float))
            )
            told = f" ({numbers})" if numbers else ""
            found.append(Inputs(args, f"call {k + 1} of {exercise.calls}{told}"))
        return tuple(found)
    walk, _, scalar = exercise.inputs.partition(", ")
    take = one_neuron if scalar else quantity
    networks = probe_networks()
    if walk.startswith(("networks", "programs")):  # also of other shapes
        networks += probe_networks("whole")
    if walk.endswith("threshold"):
        networks += (at_threshold(),)
    for net in networks:
        for t, n, where in _walk(walk, net):
            args = tuple(take(name, net, t, n) for name in exercise.arguments)
            found.append(Inputs(args, where))
    return tuple(found)


def draw_of(exercise: Exercise) -> AnswerFunction:
    """Return the function of (rng, k) that draws the arguments of the k-th call."""
    return define(source_of("draw(rng, k)", exercise.draw), table=True)


@cache
def situations(exercise: Exercise) -> tuple[Inputs, ...]:
    """Return the inputs of an exercise's function, closed to changes, with the right results."""
    answer = exercise.comparable(exercise.answer)
    every = []
    for inputs in inputs_of(exercise):
        right = answer(*copy.deepcopy(inputs.args))
        every.append(replace(inputs, right=right))
    # An array over bytes cannot be written to; copied once, none is a part of another.
    buffers: list[pickle.PickleBuffer] = []
    whole = tuple(copy.deepcopy(every))
    text = pickle.dumps(whole, protocol=5, buffer_callback=buffers.append)
    closed: tuple[Inputs, ...] = pickle.loads(
        text, buffers=[buffer.raw().tobytes() for buffer in buffers]
    )
    return closed


@cache
def points(blank: FormulaBlank) -> list[Inputs]:
    """Return seeded values of the symbols of a blank, with the right ones of its formula.

    A symbol takes both signs unless what it stands for cannot be negative.
    """
    source = blank.source()
    used = {getattr(node, "id", "") for node in ast.walk(ast.parse(source))}
    every = []
    for k in range(POINTS):
        rng = np.random.default_rng([31, k])
        sizes = rng.uniform(0.3, 1.9, len(blank.symbols)).round(3)
        signs = rng.choice([1, -1], len(blank.symbols))
        numbers = {
            name: size if name in NOT_NEGATIVE else size * sign
            for name, size, sign in zip(blank.symbols, sizes, signs, strict=True)
            if name in blank.arguments
        }
        shown = [f"{name} = {x:g}" for name, x in numbers.items() if name in used]
        right = define(source)(*numbers.values())
        every.append(Inputs(tuple(numbers.values()), ", ".join(shown), right=right))
    return every
