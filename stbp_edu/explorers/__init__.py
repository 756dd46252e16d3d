"""Explorers: what the site's pages let a reader play with, and the pulse of a notebook.

All values are computed by this package, and written to files for the site.

- ``network_explorers``, ``pulse_explorer``, ``board_explorer``: what explorers show;
- ``pencil_network``: the networks that they show;
- ``js/``: the ES modules.
"""

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from stbp_edu._support import checks
from stbp_edu.arrows import Node
from stbp_edu.explorers.board_explorer import board_data
from stbp_edu.explorers.network_explorers import (
    lab_data,
    paths_data,
    sweep_data,
)
from stbp_edu.explorers.pencil_network import one_neuron, pencil, smooth
from stbp_edu.explorers.pulse_explorer import FIRST, Pulse
from stbp_edu.practice.bug_hunt import SYMPTOMS, TABLE, bugs, evidence
from stbp_edu.practice.feedback import markup
from stbp_edu.practice.tasks import ForwardPass, tasks

__all__ = ["EXPLORERS", "data", "export", "pulse"]

JS = Path(__file__).parent / "js"


@cache
def hunt_data() -> dict[str, Any]:
    """Return the right program, and for each bug the line that it changes and what it does.

    ``line`` counts from 1. Any of a bug's ``symptoms`` is a right answer.

    >>> first = hunt_data()["bugs"][0]
    >>> first["line"], first["now"], first["symptoms"]
    (17, 'delta[n][t] = delta[N][T - 1] - epsilon[n][t + 1] * u * df(o)', ['T>1'])
    """
    return {
        "program": TABLE["program"].splitlines(),
        "symptoms": {name: words for name, (words, _) in SYMPTOMS.items()},
        "bugs": [
            {
                "line": bug.line,
                "now": bug.source.splitlines()[bug.line - 1].strip(),
                "right": bug.mended,
                "place": f"case {bug.case}, {bug.term}" if bug.case else "the loops",
                "what": bug.what,
                "symptoms": list(evidence(bug).symptoms),
                "first": evidence(bug).first,
            }
            for bug in bugs()
        ],
    }


EXPLORERS: dict[str, Callable[[], dict[str, Any]]] = {
    "sweep": lambda: sweep_data(pencil()),
    "paths": lambda: paths_data(smooth()),
    "pulse": lambda: pulse().data,
    "lab": lab_data,
    "board": board_data,
    "hunt": hunt_data,
}
"""The data of each explorer. An explorer is an entry here and the module of its name in ``js/``."""


def data(name: str) -> dict[str, Any]:
    """Return the data of the explorer of this name.

    Raises:
        ValueError: if there is not an explorer of this name.
    """
    return EXPLORERS[checks.choice("name", name, EXPLORERS)]()


def pulse(*network: Any, start: Node = FIRST, rule: str = "exact") -> Pulse:
    """Return one error pulse that runs back from the loss to a node and takes every path.

    Args:
        network: trace, targets, params and neuron; without, one neuron for three steps.
        start: the spike or potential that it runs back to.
        rule: the rule that is shown first, ``"exact"`` or ``"classic"``.

    Raises:
        ValueError: if the network has no such node or too many paths, or there is no such rule.

    >>> print(pulse(rule="classic"))
    [Explorer: The network unrolled in time, and one error pulse that runs back from the loss L to
    o at t = 1 over every arrow that leads there. 3 of 4 paths have arrived, with the sum −443/2304.
    Every path counted, δ of o at t = 1 = −395/2304: the lost ones are worth 1/48.]
    """
    return Pulse(ForwardPass(*network) if network else one_neuron(), start, rule)


def export(folder: str | Path) -> list[Path]:
    """Write modules and data for the site to ``folder``; return the files."""
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    files = {
        path.name: path.read_text(encoding="utf-8") for path in sorted(JS.glob("*.js"))
    }
    for name in EXPLORERS:
        files[f"{name}.json"] = json.dumps(
            data(name), separators=(",", ":"), allow_nan=False
        )
    listed = [
        {
            "id": t.id,
            "html": markup(t.title),
            "notebook": t.notebook,
            "course": t.in_course,
        }
        for t in tasks().values()
    ]
    files["exercises.json"] = json.dumps(listed, ensure_ascii=False)
    for name, text in files.items():
        (target / name).write_text(text, encoding="utf-8")
    return [target / name for name in files]
