"""The bug hunt: read a backward pass that has one bug, and name its case, term and symptom.

The pass, the five cases in one function, and what can be changed in it are in ``bug_hunt.toml``.
Each bug runs on networks that differ in one thing: T, S, or whether any neuron spikes. What it
returns is held against the package's sweep.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache, partial
from html import escape
from itertools import product
from pathlib import Path
from typing import Any
from zlib import crc32

from stbp_edu._support import checks
from stbp_edu._support.files import read_toml
from stbp_edu.cases import case_at
from stbp_edu.forward_pass import forward
from stbp_edu.parameters import Params
from stbp_edu.practice import saved_progress
from stbp_edu.practice.feedback import Feedback
from stbp_edu.practice.grading.answer import alike
from stbp_edu.practice.grading.calling import CallResult, Difference, plain, tried
from stbp_edu.practice.tasks import ForwardPass, draw_network, step_name
from stbp_edu.practice.tasks.catalogue import define

CASES = "1 to 5, and 0 for the loops and the choice of the case"
TERMS = ("direct", "weight", "reset", "spike", "carry", "W", "b", "loop")
PLUS = re.compile(r" \+ (?![^\[]*\])")
"""A plus between summands, outside of an index."""
SIZES, T, S = (5, 4, 3, 2), 4, 3
"""The network from which the others differ: three layers, no two equally wide."""

TOLERANCE = 1e-7
"""Relative; an error of a bug is far larger, rounding far smaller."""

Wrong = frozenset[str]
"""The gradients that are wrong, such as ``"W[2]"``."""


@cache
def table() -> dict[str, Any]:
    """Return the program, the terms of its lines, and what can be changed in them."""
    return read_toml(Path(__file__).with_suffix(".toml"))


@dataclass(frozen=True)
class Bug:
    """One change of the program.

    Attributes:
        case: 1 to 5; 0 where no case is changed, but the loops or the choice of the case.
        term: the arrow whose term is wrong: ``"direct"``, ``"weight"``, ``"reset"``, ``"spike"``
            or ``"carry"``; in case 5 ``"W"`` or ``"b"``; in case 0 ``"loop"``.
        what: what is wrong, in words.
        line: number of the line, from 1.
        mended: the line as it should be.
        source: the program with the change.
    """

    case: int
    term: str
    what: str
    line: int
    mended: str
    source: str

    def __str__(self) -> str:
        """Return the place, and what is wrong there."""
        return f"case {self.case}, {self.term}: {self.what}"


@cache
def bugs() -> tuple[Bug, ...]:
    """Return every program with one bug, in the order of the hunt, which goes by no case."""
    no_bug = table()["no_bug"]
    made = [bug for bug in _bugs() if [bug.case, bug.what] not in no_bug]
    found = {bug.source: bug for bug in reversed(made)}
    return tuple(sorted(found.values(), key=lambda bug: crc32(bug.source.encode())))


def _bugs() -> Iterator[Bug]:
    """Yield every change, wherever it can be made; a whole sum goes with its last term."""
    lines, terms = table()["program"].splitlines(), iter(table()["terms"])
    for k, line in enumerate(lines):
        if not re.search(r"\[t\] = |append\(|reversed|if ", line):
            continue
        case, *names = next(terms)
        for old, changes in table()["changes"].items():
            for found in re.finditer(rf"(?<![\w.]){re.escape(old)}(?!\w)", line):
                before, after = line[: found.start()], line[found.end() :]
                is_last = len(PLUS.split(before + old)) == len(names)
                for what, new in changes.items():
                    changed = [*lines[:k], before + new + after, *lines[k + 1 :], ""]
                    source = "\n".join(changed)
                    yield Bug(case, names[-is_last], what, k + 1, line.strip(), source)


@dataclass(frozen=True)
class Evidence:
    """What a bug does on the networks.

    Attributes:
        wrong: the wrong gradients, by the network's name.
        factor: the constant by which all gradients are off, or None.
        raises: whether it raises on the network whose layers differ in width.
    """

    wrong: dict[str, Wrong]
    factor: float | None
    raises: bool

    @property
    def symptoms(self) -> tuple[str, ...]:
        """The names of the symptoms that hold."""
        return tuple(name for name, (_, holds) in SYMPTOMS.items() if holds(self))

    @property
    def seen(self) -> Wrong:
        """The wrong gradients of the network from which the others differ."""
        return self.wrong["T = 4"]


SYMPTOMS: dict[str, tuple[str, Callable[[Evidence], bool]]] = {
    "T=1": ("wrong at T = 1 already", lambda e: bool(e.wrong["T = 1"])),
    "T>1": (
        "wrong only where T > 1",
        lambda e: not e.wrong["T = 1"] and bool(e.wrong["T = 2"]),
    ),
    "T>2": (
        "wrong only where T > 2",
        lambda e: not e.wrong["T = 1"] | e.wrong["T = 2"],
    ),
    "S>1": ("wrong only where S > 1", lambda e: not e.wrong["S = 1"]),
    "hidden": (
        "wrong only below the output layer",
        lambda e: not {"W[3]", "b[3]"} & e.seen,
    ),
    "output": (
        "wrong only in the output layer",
        lambda e: set() < e.seen <= {"W[3]", "b[3]"},
    ),
    "W": ("wrong only in W", lambda e: {name[0] for name in e.seen} == {"W"}),
    "b": ("wrong only in b", lambda e: {name[0] for name in e.seen} == {"b"}),
    "factor": (
        "all gradients are off by one constant factor",
        lambda e: e.factor is not None,
    ),
    "spikes": (
        "wrong only where a neuron has spiked",
        lambda e: not e.wrong["no spikes"],
    ),
    "widths": (
        "an error is raised unless all layers are equally wide",
        lambda e: e.raises,
    ),
}
"""What can be seen of a bug from outside, by the name that ``hunt`` takes: words, and a test."""


@cache
def networks() -> dict[str, tuple[ForwardPass, ...]]:
    """Return the networks by name, each as a spiking network and as its smooth twin."""
    shapes = {"T = 1": (1, S), "T = 2": (2, S), "T = 4": (T, S), "S = 1": (T, 1)}
    draw = partial(draw_network, sizes=SIZES, tau=0.6)
    drawn: dict[str, tuple[ForwardPass, ...]] = {}
    for name, (steps, samples) in shapes.items():
        spiking = draw(800, T=steps, S=samples, smooth=False)
        twin = draw(801, T=steps, S=samples, smooth=True)
        drawn[name] = spiking, twin
    net = drawn["T = 4"][0]
    params = net.params  # made so small that no neuron reaches the threshold
    W, b = ([None, *(x / 8 for x in part[1:])] for part in (params.W, params.b))
    small = Params(W, b)
    trace = forward(net.trace.O[0], small, net.neuron)
    silent = replace(net, trace=trace, params=small)
    return drawn | {"no spikes": (silent, silent)}


def ran(bug: Bug, net: ForwardPass) -> tuple[CallResult, dict[str, Any]]:
    """Return a program's results on a network, and the right ones, by names such as ``"ε[2]"``."""
    exact, names = net.sweep("exact"), ("δ", "ε", "W", "b")
    right = exact.delta, exact.epsilon, exact.gradients.W, exact.gradients.b
    given = net.trace, net.targets, net.params, net.neuron
    outcome = tried(define(bug.source), given, right, names)
    return outcome, plain(right, right, names)  # type: ignore[return-value]


def wrong_gradients(
    got: CallResult, right: dict[str, Any], factor: float = 1.0
) -> Wrong:
    """Return which gradients are not so many times the right ones; all, where it raises."""
    names = [name for name in right if name[0] in "Wb"]
    if not isinstance(got, dict):
        return frozenset(names)
    return frozenset(
        n for n in names if not alike(got[n], factor * right[n], TOLERANCE)
    )


def _factor(got: Any, right: dict[str, Any]) -> float | None:
    """Return the constant by which all gradients are off, if there is one."""
    if not isinstance(got, dict):
        return None
    mine, exact = got["b[3]"], right["b[3]"]
    factor = float(mine @ exact / (exact @ exact))
    return None if wrong_gradients(got, right, factor) else factor


@cache
def evidence(bug: Bug) -> Evidence:
    """Return the effects of a bug on every network."""
    runs = {name: [ran(bug, net) for net in pair] for name, pair in networks().items()}
    wrong = {
        name: wrong_gradients(*one) | wrong_gradients(*other)
        for name, (one, other) in runs.items()
    }
    spiking, twin = runs["T = 4"]
    factor, other = _factor(*spiking), _factor(*twin)
    if factor is None or other is None or f"{factor:.9g}" != f"{other:.9g}":
        factor = None
    raises = isinstance(spiking[0], Difference)
    return Evidence(wrong, factor, raises)


def first_wrong(bug: Bug) -> str:
    """Return the first wrong cell in the order of the sweep, on the smooth twin, in words."""
    _, twin = networks()["T = 4"]
    got, right = ran(bug, twin)
    if not isinstance(got, dict):
        return f"it raises {got.error}"  # type: ignore[union-attr]
    N = len(SIZES) - 1
    for t, n, name in product(range(T - 1, -1, -1), range(N, 0, -1), "δε"):
        key = f"{name}[{n}]"
        series: Any = got[key]
        if not alike(series[t], right[key][t], TOLERANCE):
            case = case_at(t, n, T, N)
            return f"{name} at {step_name(t)}, n = {n}, a cell of case {case}"
    return "no δ and no ε, only the sums of them"


@dataclass(frozen=True, repr=False)
class Hunt(Feedback):
    """One program with a bug, and what is said about the answer; ``program`` is its source.

    Its ``items`` are what is right of the answer, and on which networks the program fails.
    """

    program: str = ""

    @property
    def numbered(self) -> str:
        """The program with the numbers of its lines."""
        lines = enumerate(self.program.splitlines(), start=1)
        return "\n".join(f"{k:2}  {line}" for k, line in lines)

    def __repr__(self) -> str:
        """Return the text form: the program, then what is said."""
        return f"{self.numbered}\n\n{super().__repr__()}"

    def _repr_html_(self) -> str:
        """Return the HTML form; the page keeps the state, as it does of an exercise."""
        return f"<pre><code>{escape(self.numbered)}</code></pre>{super()._repr_html_()}"


def hunt(
    k: int,
    *,
    case: int | None = None,
    term: str | None = None,
    symptom: str | None = None,
) -> Hunt:
    """Show a backward pass that has one bug; with an answer, say what is right of it.

    Args:
        k: number of the program, from 1 to the number of bugs.
        case: the case with the bug, 1 to 5; 0 for the loops and the choice of the case.
        term: the term that is wrong, by its arrow: ``"direct"``, ``"weight"`` or ``"reset"`` in
            δ; ``"spike"`` or ``"carry"`` in ε; ``"W"`` or ``"b"`` in case 5; ``"loop"`` in case 0.
        symptom: how it shows, a name of ``SYMPTOMS``; any that holds is right.

    Raises:
        TypeError, ValueError: if there is no such program, case, term or symptom.

    >>> hunt(1).state
    'todo'
    >>> print(hunt(1).program.splitlines()[10].strip())
    delta[n][t] = -(Y - O[N].mean(axis=0)) / (T * S)
    """
    k = checks.count("k", k, at_most=len(bugs()))
    bug, name = bugs()[k - 1], f"hunt({k})"
    answer = {"case": case, "term": term, "symptom": symptom}
    asked = {what: given for what, given in answer.items() if given is not None}
    if not asked:
        return Hunt(name, "todo", _question(k), program=bug.source)
    if case is not None:
        checks.count("case", case, at_least=0, at_most=5)
    for what, known in (("term", TERMS), ("symptom", SYMPTOMS)):
        if what in asked:
            checks.choice(what, asked[what], known)
    holds = evidence(bug).symptoms
    right = dict(case=case == bug.case, term=term == bug.term, symptom=symptom in holds)
    state = "right" if all(right.values()) else "wrong"
    said = []
    for what, given in asked.items():
        said.append(f"{what} {given}: {'right' if right[what] else 'no'}")
    left = [what for what in right if what not in asked]
    if left:
        said.append(f"still to say: {', '.join(left)}")
    verdict = "; ".join(said)
    found = f"Line {bug.line}: {bug.what}. It should be `{bug.mended}`."
    message = (found,) if state == "right" else ()
    saved_progress.record(name, state)
    return Hunt(name, state, message, program=bug.source, items=(verdict, *_shown(bug)))


def _question(k: int) -> tuple[str, ...]:
    """Return the question about a program, and the possible answers."""
    symptoms = ", ".join(f"`{name}` ({words})" for name, (words, _) in SYMPTOMS.items())
    return (
        "One change makes this program wrong. In which case, in which term, and how does it show?",
        f'Answer with `hunt({k}, case=..., term="...", symptom="...")`.',
        f"Cases: {CASES}. Terms: {', '.join(f'`{term}`' for term in TERMS)}.",
        f"Symptoms: {symptoms}.",
        "Where several symptoms hold, name any one of them. Not every one occurs in the hunt.",
    )


def _shown(bug: Bug) -> Iterator[str]:
    """Yield on which networks the bug fails and where, and where it fails first."""
    found = evidence(bug)
    for name, wrong in found.wrong.items():
        gradients = ", ".join(sorted(wrong))
        yield f"{name}: wrong in {gradients}" if wrong else f"{name}: right"
    if found.factor is not None:
        yield f"T = 4: every gradient is {found.factor:.4g} times the exact one"
    yield f"first, with T = 4: {first_wrong(bug)}"
