"""The register of the course's equations: one id, one formula, found by grep in four places.

The id is beside the derivation in a notebook (as the equation's tag), at the line of code that
computes it (as a comment), in the name of the test that proves it, and in ``equations.toml``
beside this file, which holds the formulas. The site's equations page and the tests are made from
this register, so no formula has two versions. Where the recursion of the notes that the
course started from is another formula, it has an id of its own, which ends in ``-classic``.

Notation: h(u) is short for h(v) with v = u - V_th. Columns are neurons; ⊙ multiplies entry by
entry; ᵀ transposes.
"""

import tomllib
from dataclasses import dataclass
from importlib import resources


@dataclass(frozen=True)
class Equation:
    r"""One equation of the course.

    Attributes:
        id: the name to search for.
        title: what the equation says, in a few words.
        forms: LaTeX by form: ``"index"`` (one neuron) and ``"vector"`` (a layer).

    >>> EQUATIONS["gate-df"].forms["index"]
    "f'(o) = -e^{-o/\\tau}"
    """

    id: str
    title: str
    forms: dict[str, str]


_FILE = resources.files("stbp_edu._support") / "equations.toml"

GROUPS = {
    group: {
        id_: Equation(id_, forms.pop("title"), forms) for id_, forms in entries.items()
    }
    for group, entries in tomllib.loads(_FILE.read_text(encoding="utf-8")).items()
}
"""The equations by group and id, in the order of the course."""

EQUATIONS: dict[str, Equation] = {
    k: v for group in GROUPS.values() for k, v in group.items()
}
"""Every equation by its id."""
