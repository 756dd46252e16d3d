"""The bug hunt: backward passes that have one bug each, and what can be seen of it.

The pass, the five cases in one function, and the bugs, each a line of it as it should not be, are
in ``bug_hunt.toml``. Each bug runs on networks that differ in one thing: T, S, or whether any
neuron spikes. What it returns is held against the package's sweep.
"""

from dataclasses import dataclass
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple
from zlib import crc32

from stbp_edu._support.files import read_toml
from stbp_edu.cases import case_at
from stbp_edu.practice.grading.answer import alike, plain, tried
from stbp_edu.practice.tasks import ForwardPass, draw_network, step_name
from stbp_edu.practice.tasks.programs import define, source_of

SIZES = (5, 4, 3, 2)
"""The layers of every network, no two equally wide."""
SHAPES = {"T = 1": (1, 3), "T = 2": (2, 3), "T = 4": (4, 3), "S = 1": (4, 1)}
"""T and S of each network."""
TOLERANCE = 1e-7
"""Relative; an error of a bug is far larger, rounding far smaller."""
TABLE = read_toml(Path(__file__).with_name("bug_hunt.toml"))
"""The program, its bugs by line, and what can be seen of them."""
SYMPTOMS: dict[str, list[str]] = TABLE["symptoms"]
"""What can be seen of a bug from outside, by name: words, and a test."""


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


@cache
def bugs() -> tuple[Bug, ...]:
    """Return every program with one bug, in the order of the hunt, which goes by no case."""
    found = []
    for row in TABLE["lines"]:
        lines = TABLE["program"].splitlines()
        k = row["number"]
        right = lines[k - 1]
        mended = right.strip()
        for term, what, wrong in row["bugs"]:
            lines[k - 1] = right.replace(mended, wrong)
            source = "\n".join([*lines, ""])
            found.append(Bug(row["case"], term, what, k, mended, source))
    return tuple(sorted(found, key=lambda bug: crc32(bug.source.encode())))


class Evidence(NamedTuple):
    """What a bug does on the networks.

    Attributes:
        first: the first wrong cell in the order of the sweep, on the smooth twin, in words.
        symptoms: the names of the symptoms that hold.
    """

    first: str
    symptoms: tuple[str, ...]


@cache
def networks(
    seed: int = 800, sizes: tuple[int, ...] = SIZES
) -> dict[str, list[ForwardPass]]:
    """Return the networks by name, each as a spiking network and as its smooth twin."""
    drawn = {
        name: [
            draw_network(seed + twin, sizes, *shape, tau=0.6, smooth=bool(twin))
            for twin in (0, 1)
        ]
        for name, shape in SHAPES.items()
    }
    # No neuron reaches the threshold.
    silent = draw_network(
        seed + 7, sizes, *SHAPES["T = 4"], 0.6, smooth=False, v_th=2.5
    )
    return {**drawn, "no spikes": [silent]}


def ran(source: str, net: ForwardPass) -> tuple[Any, dict[str, Any]]:
    """Return a program's results on a network, and the right ones, by names such as ``"ε[2]"``."""
    names = ("δ", "ε", "W", "b")
    exact = net.sweep("exact")
    right = (exact.delta, exact.epsilon, exact.gradients.W, exact.gradients.b)
    given = (net.trace, net.targets, net.params, net.neuron)
    got = tried(define(source), given, right, names)
    return got, plain(right, right, names)  # type: ignore[return-value]


def wrong_gradients(got: Any, right: dict[str, Any], factor: float = 1.0) -> set[str]:
    """Return which gradients are not so many times the right ones; all, where it raises."""
    names = {name for name in right if name[0] in "Wb"}
    if not isinstance(got, dict):
        return names
    return {n for n in names if not alike(got[n], factor * right[n], TOLERANCE)}


@cache
def evidence(bug: Bug) -> Evidence:
    """Return the effects of a bug on every network."""
    runs = {
        name: [ran(bug.source, net) for net in nets]
        for name, nets in networks().items()
    }
    wrong = {
        name: set[str]().union(*(wrong_gradients(*run) for run in of))
        for name, of in runs.items()
    }
    (got, right), twin = runs["T = 4"]
    raises = not isinstance(got, dict)
    factor = None
    if not raises:
        exact = right["b[3]"]
        factor = got["b[3]"] @ exact / (exact @ exact)
        if any(wrong_gradients(*run, factor) for run in runs["T = 4"]):
            factor = None
    holds = "holds(wrong, seen, factor, raises)"
    symptoms = tuple(
        name
        for name, (_, test) in SYMPTOMS.items()
        if define(source_of(holds, test))(wrong, wrong["T = 4"], factor, raises)
    )
    return Evidence(_first_wrong(*twin), symptoms)


def _first_wrong(got: Any, right: dict[str, Any]) -> str:
    """Return the first wrong cell in the order of the sweep, in words."""
    if not isinstance(got, dict):
        return f"it raises {got.error}"
    T, N = len(right["δ[1]"]), len(SIZES) - 1
    for t, n, name in product(reversed(range(T)), range(N, 0, -1), "δε"):
        if not alike(got[f"{name}[{n}]"][t], right[f"{name}[{n}]"][t], TOLERANCE):
            case = case_at(t, n, T, N)
            return f"{name} at {step_name(t)}, n = {n}, a cell of case {case}"
    return "no δ and no ε, only the sums of them"
