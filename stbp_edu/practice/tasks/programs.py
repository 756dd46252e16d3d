"""Answers and tables as the text of programs, and the functions that these texts define.

The tables are written in names that are here, and in those of :mod:`stbp_edu`. A reference, which
answers are compared with, is an expression in the arguments. A draw returns the arguments of the
k-th call, drawn with a generator of its own; draws that several exercises share are here.

A reader's formula is read: only arithmetic is let through.
"""

import ast
import re
import textwrap
from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from itertools import product
from typing import Any

import numpy as np

import stbp_edu
from stbp_edu import lines
from stbp_edu._support.checks import Array
from stbp_edu.arrows import hard_reset, network, words
from stbp_edu.cases import case_at, sweep
from stbp_edu.forward_pass import Adjoints, Trace
from stbp_edu.lines.expressions import SIGNS, args_of, with_args
from stbp_edu.neuron import LIF

AnswerFunction = Callable[..., Any]
"""A reader's function, of whatever signature the exercise gives."""
Args = tuple[Any, ...]
TOLERANCE = 0.05  # five standard errors of a rate at the T that the exercise draws
LONGEST = 400  # characters
WRITTEN = {
    "δ": "delta",
    "ε": "eps",
    "τ": "tau",
    "π": "pi",
    "·": "*",
    "^": "**",
    "−": "-",
    "f'": "df",
    "f′": "df",  # as the page writes it
}
ALIASES = {"epsilon": "eps", "delta_last": "delta_T", "epsilon_next": "eps_next"}
FUNCTIONS = ("exp", "sqrt", "abs")


def edited(solution: str, body: str) -> str:
    """Return ``body``, or the solution with the edits that ``body`` lists, a line each.

    >>> edited("return a * b", "a * b => a + b")
    'return a + b'
    """
    if " => " not in body:
        return body
    for line in body.splitlines():
        old, new = line.split(" => ")
        if old not in solution:
            raise ValueError(
                f"the edit {line!r} does not apply: {old!r} is not in the solution"
            )
        solution = solution.replace(old, new)
    return solution


def source_of(signature: str, body: str) -> str:
    """Return the source of a function whose body is a formula, or lines that return."""
    text = textwrap.dedent(body).strip()
    if "return " not in text:
        text = f"return {text}"
    return f"def {signature}:\n{textwrap.indent(text, '    ')}"


@lru_cache(maxsize=4096)
def define(source: str, *, table: bool = False) -> AnswerFunction:
    """Return the one function that ``source`` defines; of a table, with all names of tables."""
    plain = {"np": np, "exp": np.exp, "sqrt": np.sqrt}
    namespace: dict[str, Any] = dict(globals()) if table else plain
    # The source is this package's own table, never the reader's text.
    exec(source, namespace)
    name, _, _ = source.removeprefix("def ").partition("(")
    function: AnswerFunction = namespace[name]
    return function


def properties_that_hold(encode: Callable[..., Any]) -> Callable[..., Any]:
    """Return a test of which properties of a right encoder's random spikes an encoder has."""

    def of(pixels: Array, T: int, rng: np.random.Generator) -> tuple[bool, ...] | None:
        found = encode(pixels, T, rng)
        if found is None or found is Ellipsis:
            return None
        if np.shape(found) != (T, *pixels.shape):
            return (False,) * 7
        seeded = [np.random.default_rng(77) for _ in range(2)]
        spikes, once, again = (
            np.asarray(x, dtype=float)
            for x in (found, *(encode(pixels.copy(), T, new) for new in seeded))
        )
        rates = spikes.mean(axis=0)
        slope, _ = np.polyfit(pixels.ravel(), rates.ravel(), 1)
        return (
            True,
            bool(np.isin(spikes, (0, 1)).all()),
            bool(slope > -0.5),
            bool((np.abs(rates - pixels) < TOLERANCE).all()),
            bool((spikes != spikes[0]).any()),
            bool((spikes != once).any()),
            np.array_equal(once, again),
        )

    return of


def adjoints(U: Any, O: Any, Y: Array, W: Any, neuron: LIF) -> tuple[Any, Any]:
    """Return δ and ε of every cell under the exact rule, as lists with None first."""
    swept = _swept(U, O, Y, W, neuron)
    return swept.delta, swept.epsilon


def gradients(U: Any, O: Any, Y: Array, W: Any, neuron: LIF) -> Any:
    """Return the exact gradients."""
    return _swept(U, O, Y, W, neuron).gradients


def _swept(U: Any, O: Any, Y: Array, W: Any, neuron: LIF) -> Adjoints:
    params = stbp_edu.Params(W, [None, *(np.zeros(len(w)) for w in W[1:])])
    return sweep(Trace(U, O), Y, params, neuron)


def _cells_of(last_case: int, backward: Callable[..., Any]) -> Callable[..., Any]:
    """Return a backward pass that returns δ and ε of the cases up to one, by cell."""

    def of(U: Any, O: Any, Y: Array, W: Any, neuron: LIF) -> Any:
        T, N = len(O[0]), len(W) - 1
        result = backward(U, O, Y, W, neuron)
        found = {}
        try:
            delta, epsilon = result
            for t, n in product(reversed(range(T)), range(N, 0, -1)):
                case = case_at(t, n, T, N)
                if case <= last_case:
                    cell = f"t = {t + 1} (index {t} in code), n = {n}, case {case}"
                    found[f"δ at {cell}"] = delta[n][t]
                    found[f"ε at {cell}"] = epsilon[n][t]
        except (TypeError, ValueError, LookupError):
            return result  # whose form is told
        return found

    return of


cases_up_to_1 = partial(_cells_of, 1)
cases_up_to_2 = partial(_cells_of, 2)
cases_up_to_3 = partial(_cells_of, 3)
cases_up_to_4 = partial(_cells_of, 4)


def potentials(rng: np.random.Generator, k: int) -> Args:
    """Return potentials, the first of them at the threshold exactly, and the threshold."""
    v_th = (0.5, 1.0, 1.5, 0.25)[k]
    u = rng.normal(v_th / 2, 1.0, (2, 4))
    u[0, 0] = v_th
    return u, v_th


def distances(rng: np.random.Generator, k: int) -> Args:
    """Return distances from the threshold on both sides, near and far, and a width."""
    a = (1.0, 0.5, 2.0, 0.8)[k]
    near = rng.uniform(-1.5, 1.5, 9) * a
    between = rng.uniform(-5, 5, 5)
    far = [-1000.0, 1000.0, 0.0]
    return np.concatenate([near, between, far]), a


def layer_signals(rng: np.random.Generator, k: int) -> Args:
    """Return weights to the layer above, its signals, and those of the next step."""
    sizes = ((2, 4, 3), (3, 3, 3), (3, 2, 5), (4, 4, 4))
    S, width, above = sizes[k]
    W_above = rng.normal(0, 1, (above, width))
    err_above = rng.normal(0, 1, (S, above))
    err_next = rng.normal(0, 1, (S, width))
    return W_above, err_above, err_next


def output_spikes(rng: np.random.Generator, k: int) -> Args:
    """Return one-hot targets and output spikes, (S, n) and (T, S, n)."""
    shapes = ((4, 3, 3), (5, 2, 4), (3, 4, 2), (6, 3, 3))
    T, S, n = shapes[k]
    labels = rng.integers(0, n, S)
    targets = np.eye(n)[labels]
    fires = rng.random((T, S, n)) < 0.5
    return targets, fires.astype(float)


def all_words(rng: np.random.Generator, k: int) -> list[tuple[str, ...]]:
    """Return every word of a small network, as paths from a parameter, in random order."""
    sizes = ("1-1", "1-1-1", "1-1-1", "1-1-1-1")[k]
    T = (4, 3, 4, 3)[k]
    net = network(sizes, hard_reset(LIF()))
    found = [("enter", *word) for word in words(net, T)]
    order = rng.permutation(len(found))
    return [found[i] for i in order]


def derived_backward(lines: str, h: Array, *args: Array) -> Any:
    """Return the results of the derived exact backward step of a neuron's forward lines.

    ``h`` is the surrogate at the neuron's potential, and ``args`` are those of the function
    ``backward`` that :meth:`stbp_edu.derived.Derived.program` prints.
    """
    space: dict[str, Any] = {"np": np, "h": lambda v: h}
    program = stbp_edu.derive(lines).program("exact")
    exec(str(program), space)
    return space["backward"](*args)


def parse(text: str, symbols: Mapping[str, str]) -> ast.expr:
    """Return a formula as an expression in the package's names, with floats for its numbers.

    Raises:
        ValueError: if it is no formula in these symbols; the message says why.

    >>> ast.unparse(parse("ε_next·u^2", {"eps_next": "", "u": ""}))
    'eps_next * u ** 2.0'
    """
    for sign, name in WRITTEN.items():
        text = text.replace(sign, name)
    if len(text) > LONGEST:
        raise ValueError(
            f"It is {len(text)} characters long, and {LONGEST} are enough."
        )
    text = re.sub(r"\w+", lambda word: ALIASES.get(word[0], word[0]), text)
    try:
        formula = _arithmetic(lines.parse(text.strip()), symbols)
        compile(ast.unparse(formula), "<formula>", "eval")
    except SyntaxError as error:
        message = f"It cannot be read as a formula: {error.msg}. A product needs its *."
        raise ValueError(message) from None
    except (RecursionError, MemoryError, OverflowError):
        message = "It has too many brackets or digits: write it shorter."
        raise ValueError(message) from None
    return formula


def _arithmetic(node: ast.expr, symbols: Mapping[str, str]) -> ast.expr:
    """Return an expression in the symbols; refuse what is not plain arithmetic in them."""
    match node:
        case ast.Name(id=name):
            if name not in symbols:
                text = f"`{name}` is not one of the symbols here: {listed(symbols)}."
                raise ValueError(f"{text} A product needs its *.")
        case ast.Constant(value=int() | float() as number):
            # A power of integers could take for ever.
            return ast.Constant(float(number))
        case ast.UnaryOp(op=ast.UAdd(), operand=part):
            return _arithmetic(part, symbols)
        case ast.BinOp(op=op) | ast.UnaryOp(op=op) if type(op) in SIGNS:
            pass
        case ast.Call(func=ast.Name(id=name), args=[_], keywords=[]) if (
            name in FUNCTIONS
        ):
            pass
        case _:
            raise ValueError(
                f"`{ast.unparse(node)}` is not plain arithmetic: use + - * / ** and exp, sqrt, "
                f"abs of the symbols {', '.join(symbols)}."
            )
    return with_args(node, [_arithmetic(part, symbols) for part in args_of(node)])


def listed(symbols: Mapping[str, str]) -> str:
    """Return every symbol with its meaning, as text."""
    return ", ".join(f"`{symbol}` ({meaning})" for symbol, meaning in symbols.items())
