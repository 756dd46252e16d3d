"""Wrong answers made at random: right solutions with one place of their syntax tree changed.

Nothing here looks at the tables of mistakes or at the package's own changes of a solution. What is
equal to the right answer on fresh inputs is no mutant.
"""

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from unittest import mock

import numpy as np

from stbp_edu.practice.grading.calling import call
from stbp_edu.practice.tasks import Exercise, Inputs, draw_network, inputs, inputs_of
from stbp_edu.practice.tasks.catalogue import define

OPERATORS = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.MatMult, ast.Pow)
COMPARISONS = (ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq)
SWAPS = {
    "mean": ("sum", "max", "std"), "sum": ("mean", "max", "prod"), "f": ("df", "h", "g"),
    "df": ("f", "h"), "h": ("f", "df"), "g": ("h", "H"), "exp": ("cosh", "expm1", "sin"),
    "abs": ("square", "sign"), "sqrt": ("square", "abs"), "argmax": ("argmin", "max"),
    "maximum": ("minimum",), "tanh": ("sin", "arctan"), "reversed": ("sorted",),
    "random": ("normal",), "len": ("abs",),
}  # fmt: skip
WRAPS = (
    "({})**2", "abs({})", "2 * ({})", "-({})", "({}) + 1", "({}) / 3", "0 * ({})", "({}).T",
    "np.sum({}, axis=0)", "np.mean({})", "np.roll({}, 1, axis=0)", "np.sqrt(abs({}))",
)  # fmt: skip


@dataclass(frozen=True)
class Mutant:
    """A wrong answer: its source, the source text that was changed, and what it has become."""

    exercise: Exercise
    source: str
    old: str
    new: str
    place: tuple[int, ...]
    """Where in the tree of the solution: the way from the root, a child's number a step."""

    @property
    def function(self):
        return define(self.source)

    def __str__(self) -> str:
        return f"{self.exercise.id}: {self.old}  ->  {self.new}"


def places(tree: ast.AST, way: tuple[int, ...] = ()) -> Iterator[tuple[tuple[int, ...], ast.AST]]:
    """Yield every node with the way to it: a child's number a step."""
    yield way, tree
    for k, child in enumerate(ast.iter_child_nodes(tree)):
        yield from places(child, (*way, k))


def variants(node: ast.AST, names: list[str], rng: np.random.Generator) -> list[ast.AST]:
    """Return what could stand in place of one node."""
    found: list[ast.AST] = []
    if isinstance(node, ast.BinOp):
        found += [ast.BinOp(node.left, op(), node.right) for op in OPERATORS
                  if not isinstance(node.op, op)]  # fmt: skip
        found += [node.left, node.right, ast.BinOp(node.right, node.op, node.left)]
    if isinstance(node, ast.UnaryOp):
        found.append(node.operand)
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        found += [ast.Compare(node.left, [op()], node.comparators) for op in COMPARISONS
                  if not isinstance(node.ops[0], op)]  # fmt: skip
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        values = (node.value + 1, node.value - 1, 2 * node.value, node.value / 2, -node.value)
        found += [ast.Constant(v) for v in values if v != node.value]
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in names:
        found += [ast.Name(n, ast.Load()) for n in names if n != node.id]
    if isinstance(node, ast.Attribute) and node.attr in SWAPS:
        found += [ast.Attribute(node.value, n, node.ctx) for n in SWAPS[node.attr]]
    if isinstance(node, ast.Call) and len(node.args) == 1 and not node.keywords:
        found.append(node.args[0])
    if isinstance(node, ast.Tuple) and len(node.elts) == 2 and isinstance(node.ctx, ast.Load):
        found.append(ast.Tuple(node.elts[::-1], node.ctx))
    if isinstance(node, (ast.BinOp, ast.Name, ast.Call, ast.Subscript)) and (
        isinstance(getattr(node, "ctx", ast.Load()), ast.Load)
    ):
        text = ast.unparse(node)
        wrap = WRAPS[rng.integers(len(WRAPS))]
        found.append(ast.parse(wrap.format(text), mode="eval").body)
    return found


def mutated(source: str, names: list[str], rng: np.random.Generator):
    """Return the source with one place changed, what was there, what is there, and where."""
    tree = ast.parse(source)
    local = sorted({*names, *(n.id for n in ast.walk(tree) if isinstance(n, ast.Name)
                              and isinstance(n.ctx, ast.Store))})  # fmt: skip
    called = {
        way for way, node in places(tree) if isinstance(node, ast.Name) and node.id not in local
    }  # np, range and the like
    body = [
        (way, node, new)
        for way, node in places(tree)
        if len(way) > 1 and isinstance(node, ast.expr) and way not in called
        for new in variants(node, local, rng)
    ]
    nodes = sorted({way for way, _, _ in body})
    way = nodes[rng.integers(len(nodes))]  # every place alike, then every change of it
    choices = [(node, new) for w, node, new in body if w == way]
    node, new = choices[rng.integers(len(choices))]
    changed = copy.deepcopy(tree, {id(node): new})
    return ast.unparse(ast.fix_missing_locations(changed)), ast.unparse(node), ast.unparse(new), way


@cache
def fresh_networks():
    return (
        draw_network(9700, (5, 4, 3), T=5, S=3, tau=0.8, smooth=True),
        draw_network(9701, (3, 4, 4, 2), T=3, S=2, tau=0.4, smooth=True),
        draw_network(9702, (4, 4, 3), T=4, S=4, tau=0.6, smooth=False),
        draw_network(9703, (2, 3), T=2, S=3, tau=0.5, smooth=True),
    )


@cache
def fresh_inputs(exercise: Exercise) -> tuple[Inputs, ...]:
    """Return inputs that the package does not grade with, where they can be drawn anew."""
    draw = inputs.draw_of(exercise) if exercise.draw else None
    if draw is not None:
        seeds = [np.random.default_rng([99, k]) for k in range(4)]
        return tuple(Inputs(draw(rng, k), "") for k, rng in enumerate(seeds))
    with mock.patch.object(inputs, "probe_networks", fresh_networks):
        return inputs_of.__wrapped__(exercise)


def outcomes(exercise: Exercise, function) -> list:
    return [call(function, i.args, exercise) for i in fresh_inputs(exercise)]


def flat(value) -> list:
    """Return the numbers of a result, or a word where there are none."""
    if isinstance(value, (set, frozenset)):
        return [tuple(sorted(map(str, value)))]
    if hasattr(value, "W"):
        value = (value.W, value.b)
    if hasattr(value, "U"):
        value = (value.U, value.O)
    if isinstance(value, list) and all(isinstance(v, (bool, np.bool_)) for v in value):
        return [np.array(value, dtype=float)]  # one truth value for each entry, as an array has it
    if isinstance(value, (tuple, list)):
        return [x for v in value for x in flat(v)]
    if value is None:
        return []
    try:
        return [np.asarray(value, dtype=float)]
    except (TypeError, ValueError):
        return [str(type(value))]


def same(a, b) -> bool:
    """Return whether two results are equal up to a relative 1e-7; by code of its own."""
    x, y = flat(a), flat(b)
    if len(x) != len(y):
        return False
    for p, q in zip(x, y, strict=True):
        if isinstance(p, np.ndarray) and isinstance(q, np.ndarray):
            if p.shape != q.shape or not np.allclose(p, q, rtol=1e-7, atol=1e-12, equal_nan=True):
                return False
        elif p is not q and not (type(p) is type(q) and p == q):
            return False
    return True


@cache
def right_outcomes(exercise: Exercise) -> list:
    return outcomes(exercise, exercise.answer)


def equivalent(exercise: Exercise, function) -> bool:
    """Return whether a function gives what the reference gives, on fresh inputs."""
    pairs = zip(outcomes(exercise, function), right_outcomes(exercise), strict=True)
    return all(same(got, want) for got, want in pairs)


def mutants(exercise: Exercise, count: int, seed: int = 0) -> Iterator[Mutant]:
    """Yield ``count`` different mutants of an exercise that differ from it on fresh inputs."""
    rng = np.random.default_rng([415, seed, *exercise.id.encode()])
    seen = set()
    for _ in range(40 * count):
        source, old, new, way = mutated(exercise.source(), list(exercise.arguments), rng)
        if source in seen:
            continue
        seen.add(source)
        try:
            mutant = Mutant(exercise, source, old, new, way)
            if equivalent(exercise, mutant.function):
                continue
        except Exception:  # it does not even compile
            continue
        yield mutant
        count -= 1
        if not count:
            return
