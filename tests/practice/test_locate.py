"""Wrong answers that no table lists: each is rejected, and where it is wrong is located rightly.

The mutants are made by :mod:`tests.practice.mutants`, which knows the solutions alone. What the
feedback blames is judged against the place that was changed; where it says that a change of the
right answer gives the same, this is tried on fresh inputs. STBP_MUTANTS and STBP_MUTANTS_SEED make
more of them, and others.
"""

import ast
import linecache
import os
from collections import Counter
from dataclasses import dataclass
from functools import cache

import numpy as np
import pytest

from stbp_edu.practice import check_formula
from stbp_edu.practice.grading import algebra, diagnosis, inlining, probe
from stbp_edu.practice.grading.exercise_check import grade
from stbp_edu.practice.grading.finding import Finding
from stbp_edu.practice.grading.single_changes import single_changes
from stbp_edu.practice.tasks import Exercise, blanks, exercises
from tests.practice.mutants import Mutant, mutants, mutated, outcomes, same

PER_EXERCISE = int(os.environ.get("STBP_MUTANTS", "5"))
SEED = int(os.environ.get("STBP_MUTANTS_SEED", "2026"))
SHARE = 0.95


@dataclass(frozen=True)
class Verdict:
    """What was said about one mutant, and whether it is right."""

    mutant: Mutant
    state: str
    kinds: tuple[str, ...]
    located: bool
    text: str


def said_about(mutant: Mutant, *, with_changes: bool = True) -> Verdict:
    """Return what is said about a mutant, its source known to Python as a notebook's cell is."""
    kept: list[Finding] = []
    failures: list[Exception] = []

    def spy(*args):
        try:
            found = real(*args)
        except Exception as error:
            failures.append(error)
            raise
        kept.extend(found)
        return found

    real, change = diagnosis.unnamed, diagnosis.by_change
    diagnosis.unnamed = spy
    diagnosis.by_change = change if with_changes else lambda *_: []
    try:
        feedback = grade(mutant.exercise, sourced(mutant.source))
    finally:
        diagnosis.unnamed, diagnosis.by_change = real, change
    assert not failures, (str(mutant), failures)
    text = " ".join(feedback.message)
    if feedback.state != "wrong" or feedback.mistakes:
        return Verdict(mutant, feedback.state, ("named",), bool(feedback.mistakes), text)
    kinds = tuple(dict.fromkeys(f.kind for f in kept))
    located = any(is_right(f, mutant) for f in kept) if kept else says_what_failed(text, mutant)
    return Verdict(mutant, "wrong", kinds or ("failed",), located, text)


def sourced(source: str):
    """Return the function of a source whose lines Python can show."""
    name = f"<mutant {abs(hash(source))}>"
    linecache.cache[name] = (len(source), None, source.splitlines(True), name)
    space = {"np": np}
    exec(compile(source, name, "exec"), space)
    return space[source.removeprefix("def ").split("(", 1)[0]]


def span(node: ast.AST) -> tuple[int, ...]:
    """Return the place of a node in the source of the solution."""
    return tuple(
        getattr(node, name, -1) for name in ("lineno", "col_offset", "end_lineno", "end_col_offset")
    )


@cache
def changed_node(mutant: Mutant) -> ast.AST:
    """Return the node of the solution that was changed."""
    node: ast.AST = ast.parse(mutant.exercise.source())
    for k in mutant.place:
        node = list(ast.iter_child_nodes(node))[k]
    return node


def names_in(text: str) -> set[str]:
    """Return the names in an expression."""
    return {n.id for n in ast.walk(ast.parse(text)) if isinstance(n, ast.Name)}


def way_to_it(mutant: Mutant) -> list[ast.AST]:
    """Return the nodes from the root of the solution to the changed one."""
    node: ast.AST = ast.parse(mutant.exercise.source())
    way = [node]
    for k in mutant.place:
        node = list(ast.iter_child_nodes(node))[k]
        way.append(node)
    return way


def term_around(mutant: Mutant) -> ast.AST:
    """Return the term that holds the change: the largest part around it that is no sum."""
    way = way_to_it(mutant)
    for k in reversed(range(len(way))):
        if isinstance(way[k], ast.stmt):
            return way[k + 1]
        if isinstance(way[k], ast.BinOp) and isinstance(way[k].op, (ast.Add, ast.Sub)):
            return way[min(k + 1, len(way) - 1)]
    return way[-1]


def arguments_behind(exercise: Exercise, names: set[str]) -> set[str]:
    """Return the arguments that these names are made of, through the lines above."""
    tree = ast.parse(exercise.source())
    made = {}
    for line in ast.walk(tree):
        if isinstance(line, ast.Assign):
            for target in ast.walk(line.targets[0]):
                if isinstance(target, ast.Name):
                    made[target.id] = names_in(ast.unparse(line.value))
    found, left = set(), list(names)
    while left:
        name = left.pop()
        if name in exercise.arguments:
            found.add(name)
        if name in made:
            left += made.pop(name)
    return found


def is_right(finding: Finding, mutant: Mutant) -> bool:
    """Return whether what is blamed is what was changed."""
    exercise, changed = mutant.exercise, changed_node(mutant)
    inside = {span(n) for n in ast.walk(changed)}
    old = arguments_behind(exercise, names_in(ast.unparse(term_around(mutant))))
    new = arguments_behind(exercise, names_in(mutant.new) if is_expression(mutant.new) else set())
    if finding.kind == "change" and not readings_hold(finding, mutant):
        return False
    if finding.nodes:  # the blamed part holds the change, or lies within what was changed
        blamed = {span(n) for node in finding.nodes for n in ast.walk(node)}
        tops = {span(node) for node in finding.nodes}
        return span(changed) in blamed or bool(tops & inside) or close_by(tops, mutant)
    if finding.kind in ("term", "input", "mixing", "scaling", "depends"):
        return bool(finding.names & (old | new)) or not finding.names
    if finding.kind in ("result", "factor"):  # all of it is off alike: no sum is around the change
        return not any(
            isinstance(n, ast.BinOp) and isinstance(n.op, (ast.Add, ast.Sub))
            for n in way_to_it(mutant)[:-1]
        )
    if finding.kind == "where":
        return "everywhere else" in finding.text or "missing" in finding.text
    return step_is_right(finding, mutant)


def readings_hold(finding: Finding, mutant: Mutant) -> bool:
    """Return whether each change that is said gives the same on fresh inputs."""
    own = outcomes(mutant.exercise, mutant.function)
    said = [
        change
        for change in single_changes(mutant.exercise)
        if change.node in finding.nodes and f"get {change.words}" in finding.text
    ]
    return bool(said) and any(
        all(map(same, outcomes(mutant.exercise, change.function), own)) for change in said
    )


def is_expression(text: str) -> bool:
    try:
        ast.parse(text)
    except SyntaxError:
        return False
    return True


def close_by(tops: set[tuple[int, ...]], mutant: Mutant) -> bool:
    """Return whether a blamed node and the change have the same parent: a·b and b·a."""
    parent = way_to_it(mutant)[-2]
    return any(span(child) in tops for child in ast.walk(parent)) and isinstance(parent, ast.expr)


WORDS = {  # what a line of a recursion holds, by what is said of it
    "what is left": {"carried", "u", "o", "U", "O", "neuron", "tau"},
    "the input": {"x", "O", "W", "carried"},
    "the bias": {"b"},
    "spike": {"o", "O", "u", "U", "neuron", "v_th"},
    "first step": {"carried", "t", "u", "U", "x"},
    "direct": {"Y", "O", "T", "S", "d", "targets"},
    "spatial": {"epsilon", "W", "err", "d"},
    "temporal": {"epsilon", "U", "neuron", "O", "err", "d"},
    "leak": {"epsilon", "neuron", "O", "e", "err"},
    "no sum of the terms": {"epsilon", "err", "U", "O", "neuron", "W", "d", "e", "delta", "Y"},
    "Case 5": {"gW", "gb", "epsilon", "O"},
}


def step_is_right(finding: Finding, mutant: Mutant) -> bool:
    """Return whether a recursion's blamed line holds the names that were changed."""
    old = names_in(ast.unparse(term_around(mutant))) | names_in(mutant.new)
    holding = set().union(*(names for words, names in WORDS.items() if words in finding.text))
    return bool(old & holding)


def says_what_failed(text: str, mutant: Mutant) -> bool:
    """Return whether a failure is shown at an expression with what was changed in it."""
    if "this does not hold" in text:  # the property of random spikes that is broken
        return True
    if any(words in text for words in ("a generator", "the class", "the function", "brackets")):
        return True
    if "It raises" not in text:
        return False
    shown = text.partition("It raises")[2].split("`")
    return any(mutant.new in piece or piece in mutant.new for piece in shown[1::2] if piece)


@cache
def verdicts(exercise_id: str, with_changes: bool) -> tuple[Verdict, ...]:
    """Return what is said about the mutants of an exercise."""
    count = PER_EXERCISE if with_changes else max(1, PER_EXERCISE // 3)
    found = mutants(exercises()[exercise_id], count, seed=SEED + with_changes)
    return tuple(said_about(mutant, with_changes=with_changes) for mutant in found)


@pytest.mark.slow
@pytest.mark.parametrize("id_", exercises())
def test_every_mutant_is_rejected(id_):
    accepted = [str(v.mutant) for v in verdicts(id_, True) if v.state == "right"]
    assert not accepted
    blank = [str(v.mutant) for v in verdicts(id_, True) if v.state == "todo"]
    assert all("..." in text or "None" in text for text in blank), blank


def report(every: list[Verdict]) -> tuple[float, str]:
    """Return the share of the unnamed ones that are located rightly, and a table."""
    unnamed = [v for v in every if v.kinds != ("named",)]
    kinds = Counter(v.kinds[0] for v in unnamed)
    lost = [f"{v.mutant} | {v.kinds} | {v.text[:300]}" for v in unnamed if not v.located]
    share = 1 - len(lost) / max(1, len(unnamed))
    head = f"{len(every)} mutants, {len(unnamed)} unnamed, {share:.1%} located; {dict(kinds)}"
    return share, "\n".join([head, *lost])


@pytest.mark.slow
def test_nearly_all_unnamed_mutants_are_located_rightly():
    every = [v for id_ in exercises() for v in verdicts(id_, True)]
    share, table = report(every)
    print(table)
    assert len(every) >= 200
    assert share >= SHARE, table


@pytest.mark.slow
def test_most_are_located_without_trying_changes_of_the_solution():
    """By asking the reader's function alone, as where several things are wrong at once."""
    every = [v for id_ in exercises() for v in verdicts(id_, False)]
    share, table = report(every)
    print(table)
    assert share >= 0.85, table


@pytest.mark.slow
@pytest.mark.parametrize("equation", blanks())
def test_mutants_of_formulas_are_rejected_and_located(equation):
    blank = blanks()[equation]
    source = f"def f({', '.join(blank.symbols)}):\n    return {blank.solution}"
    rng = np.random.default_rng([415, *equation.encode()])
    right = algebra.parse(blank.solution, blank.symbols)
    tried = lost = 0
    for _ in range(60):
        text = mutated(source, list(blank.symbols), rng)[0]
        formula = text.partition("return ")[2]
        try:
            tree = algebra.parse(formula, blank.symbols)
        except ValueError:  # it holds what no formula may hold
            continue
        point = {s: 0.31 + 0.17 * k for k, s in enumerate(blank.symbols)}
        point |= {
            s: algebra.evaluate(algebra.parse(f, blank.symbols), point, algebra.FUNCTIONS)
            for s, f in blank.relations.items()
        }
        try:
            values = [algebra.evaluate(t, point, algebra.FUNCTIONS) for t in (tree, right)]
        except (ArithmeticError, ValueError):
            continue
        if isinstance(values[0], complex) or np.isclose(*values, rtol=1e-9):
            continue
        feedback = check_formula(equation, formula)
        assert feedback.state == "wrong", formula
        tried += 1
        lost += not feedback.mistakes and "more than one place" in repr(feedback)
        if tried == PER_EXERCISE:
            break
    assert tried
    assert lost <= 1


def test_a_formula_that_is_filled_in_stands_apart_from_where_it_comes_from():
    tree, known = ast.parse("a * a", mode="eval").body, {"a": ast.parse("x + y", mode="eval").body}
    whole = inlining.filled(tree, known)
    assert isinstance(whole, ast.BinOp)
    assert ast.unparse(whole) == "(x + y) * (x + y)"
    assert len({id(whole.left), id(whole.right), id(known["a"])}) == 3
    assert ast.unparse(tree) == "a * a"


def test_zeros_are_close_to_zeros_and_to_nothing_else():
    zeros = np.zeros(2)
    assert probe.close(zeros + 1e-14, zeros, rtol=1e-9)
    assert not probe.close(zeros + 1e-12, zeros, rtol=1e-9)
