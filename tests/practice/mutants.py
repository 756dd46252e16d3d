"""Wrong answers made at random: right solutions with one place of their syntax tree changed.

Nothing here looks at the tables of mistakes or at the package's own changes of a solution. What is
equal to the right answer on fresh inputs is no mutant.
"""

import ast
import copy
from collections.abc import Iterator
from functools import cache
from unittest import mock

import numpy as np

from stbp_edu.practice.grading.answer import same
from stbp_edu.practice.grading.calling import call, plain
from stbp_edu.practice.tasks import Exercise, Inputs, draw_network, inputs, inputs_of
from stbp_edu.practice.tasks.programs import define

OPERATORS = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.MatMult, ast.Pow)
COMPARISONS = (ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq)
FUNCTIONS = (
    "mean",
    "sum",
    "max",
    "f",
    "df",
    "h",
    "g",
    "exp",
    "abs",
    "sqrt",
    "argmax",
    "tanh",
)
WRAPS = (
    "({})**2", "abs({})", "2 * ({})", "-({})", "({}) + 1", "({}) / 3", "0 * ({})", "({}).T",
    "np.sum({}, axis=0)", "np.mean({})", "np.roll({}, 1, axis=0)", "np.sqrt(abs({}))",
)  # fmt: skip


def variants(
    node: ast.AST, names: list[str], rng: np.random.Generator
) -> list[ast.AST]:
    """Return what could stand in place of one node."""
    found: list[ast.AST] = []
    match node:
        case ast.BinOp(left=left, op=own, right=right):
            found += [
                ast.BinOp(left, op(), right)
                for op in OPERATORS
                if not isinstance(own, op)
            ]
            found += [left, right, ast.BinOp(right, own, left)]
        case ast.Compare(left=left, ops=[own], comparators=others):
            kinds = [op for op in COMPARISONS if not isinstance(own, op)]
            found += [ast.Compare(left, [op()], others) for op in kinds]
        case ast.Constant(value=own) if type(own) in (int, float):
            found += [
                ast.Constant(v)
                for v in (own + 1, own - 1, 2 * own, own / 2)
                if v != own
            ]
        case ast.Name(id=own) if own in names:
            found += [ast.Name(n, ast.Load()) for n in names if n != own]
        case ast.Attribute(value=value, attr=own) if own in FUNCTIONS:
            found += [ast.Attribute(value, n, node.ctx) for n in FUNCTIONS if n != own]
        case ast.Call(args=[argument], keywords=[]) | ast.UnaryOp(operand=argument):
            found.append(argument)
    if isinstance(node, (ast.BinOp, ast.Name, ast.Call, ast.Subscript)):
        wrap = WRAPS[rng.integers(len(WRAPS))]
        found.append(ast.parse(wrap.format(ast.unparse(node)), mode="eval").body)
    return found


def mutated(
    source: str, names: list[str], rng: np.random.Generator
) -> tuple[str, str, str]:
    """Return the source with one place changed, what was there, and what is there."""
    tree = ast.parse(source)
    places = [node for node in ast.walk(tree) if isinstance(node, ast.expr)]
    stored = [n for n in places if isinstance(getattr(n, "ctx", None), ast.Store)]
    local = sorted({*names, *(n.id for n in stored if isinstance(n, ast.Name))})
    read = [
        n for n in places if n not in stored and getattr(n, "id", local[0]) in local
    ]
    choices = [(node, new) for node in read if (new := variants(node, local, rng))]
    node, every = choices[
        rng.integers(len(choices))
    ]  # each place alike, then each change of it
    new = every[rng.integers(len(every))]
    changed = ast.fix_missing_locations(copy.deepcopy(tree, {id(node): new}))
    return ast.unparse(changed), ast.unparse(node), ast.unparse(new)


@cache
def fresh_networks(_kind=""):
    return (
        draw_network(9700, (5, 4, 3), T=5, S=3, tau=0.8, smooth=True),
        draw_network(9701, (3, 4, 4, 2), T=3, S=2, tau=0.4, smooth=True),
        draw_network(9702, (4, 4, 3), T=4, S=4, tau=0.6, smooth=False),
        draw_network(9703, (2, 3), T=2, S=3, tau=0.5, smooth=True),
    )


@cache
def fresh_inputs(exercise: Exercise) -> tuple[Inputs, ...]:
    """Return inputs that the package does not grade with, where they can be drawn anew."""
    if exercise.draw:
        draw = inputs.draw_of(exercise)
        return tuple(
            Inputs(draw(np.random.default_rng([99, k]), k), "") for k in range(4)
        )
    with mock.patch.object(inputs, "probe_networks", fresh_networks):
        return inputs_of(exercise)


def equivalent(exercise: Exercise, source: str) -> bool:
    """Return whether a function gives what the reference gives, on fresh inputs."""
    function = exercise.comparable(define(source))
    for given in fresh_inputs(exercise):
        like = exercise.comparable(exercise.answer)(*copy.deepcopy(given.args))
        if not same(call(function, given.args, like), plain(like, like), 1e-7):
            return False
    return True


def mutants(
    exercise: Exercise, count: int, seed: int = 0
) -> Iterator[tuple[str, str, str]]:
    """Yield ``count`` different mutants of an exercise that differ from it on fresh inputs."""
    rng = np.random.default_rng([415, seed, *exercise.id.encode()])
    seen: set[str] = set()
    for _ in range(40 * count):
        mutant = mutated(exercise.source(), list(exercise.arguments), rng)
        try:
            if mutant[0] in seen or equivalent(exercise, mutant[0]):
                continue
        except Exception:  # it does not even compile
            continue
        seen.add(mutant[0])
        yield mutant
        if len(seen) == count:
            return
