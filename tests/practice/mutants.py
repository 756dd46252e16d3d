"""Wrong answers made at random: right solutions with one place of their syntax tree changed.

Nothing here looks at the tables of mistakes or at the package's own changes of a solution. What is
equal to the right answer on fresh inputs is no mutant.
"""

import ast
import copy
from functools import cache
from unittest import mock

import numpy as np

from stbp_edu.practice.grading.answer import call, same
from stbp_edu.practice.tasks import Inputs, draw_network, inputs, inputs_of
from stbp_edu.practice.tasks.programs import define

OPERATORS = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.MatMult, ast.Pow)
WRAPS = (
    "({})**2", "abs({})", "2 * ({})", "-({})", "({}) + 1", "({}) / 3", "0 * ({})", "({}).T",
    "np.sum({}, axis=0)", "np.mean({})", "np.roll({}, 1, axis=0)", "np.sqrt(abs({}))",
)  # fmt: skip


def variants(node, names, rng):
    """Return what could stand in place of one node."""
    found = []
    match node:
        case ast.BinOp(left=left, op=own, right=right):
            kinds = [op for op in OPERATORS if not isinstance(own, op)]
            found += [ast.BinOp(left, op(), right) for op in kinds]
            found += [left, right, ast.BinOp(right, own, left)]
        case ast.Constant(value=own) if type(own) in (int, float):
            found += [ast.Constant(own + 1), ast.Constant(2 * own - 3)]
        case ast.Name(id=own) if own in names:
            found += [ast.Name(n, ast.Load()) for n in names if n != own]
        case ast.Call(args=[argument], keywords=[]) | ast.UnaryOp(operand=argument):
            found.append(argument)
    if isinstance(node, (ast.BinOp, ast.Name, ast.Call, ast.Subscript)):
        wrap = WRAPS[rng.integers(len(WRAPS))]
        found.append(ast.parse(wrap.format(ast.unparse(node)), mode="eval").body)
    return found


def mutated(source, names, rng):
    """Return the source with one place changed, what was there, and what is there."""
    tree = ast.parse(source)
    read = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.expr)
        and not isinstance(getattr(node, "ctx", None), ast.Store)
    ]
    choices = [(node, new) for node in read if (new := variants(node, names, rng))]
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
def fresh_inputs(exercise):
    """Return inputs that the package does not grade with, where they can be drawn anew."""
    if exercise.draw:
        draw = inputs.draw_of(exercise)
        return tuple(
            Inputs(draw(np.random.default_rng([99, k]), k), "") for k in range(4)
        )
    with mock.patch.object(inputs, "probe_networks", fresh_networks):
        return inputs_of(exercise)


def equivalent(exercise, one, other):
    """Return whether two programs of an exercise give the same on fresh inputs."""
    view, right = exercise.comparable, exercise.comparable(exercise.answer)
    for given in fresh_inputs(exercise):
        like = right(*copy.deepcopy(given.args))
        found = [call(view(define(text)), given.args, like) for text in (one, other)]
        if not same(*found, 1e-7):
            return False
    return True


def mutants(exercise, count, seed=0):
    """Yield ``count`` different mutants of an exercise that differ from it on fresh inputs."""
    rng = np.random.default_rng([415, seed, *exercise.id.encode()])
    seen = set()
    for _ in range(40 * count):
        mutant = mutated(exercise.source(), list(exercise.arguments), rng)
        try:
            if mutant[0] in seen or equivalent(exercise, mutant[0], exercise.source()):
                continue
        except Exception:  # it does not even compile
            continue
        seen.add(mutant[0])
        yield mutant
        if len(seen) == count:
            return
