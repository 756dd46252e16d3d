"""Explorers: the same ES module in Jupyter (through anywidget) and on the site's pages.

All values are computed by this package: live in a notebook, written to files for the site.

- ``sweep_explorer``, ``paths_explorer``, ``pulse_explorer``, ``neuron_lab``, ``board_explorer``:
  what each explorer shows;
- ``pulse_steps``, ``pulse_picture``: how the pulse moves, in words, and how its graph is drawn;
- ``pencil_network``: the network that they show where none is given;
- ``js/``: the ES modules.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

from stbp_edu import checks
from stbp_edu.arrows import Node
from stbp_edu.plotting.palette import css
from stbp_edu.practice.explorers.board_explorer import board_data
from stbp_edu.practice.explorers.neuron_lab import lab_data
from stbp_edu.practice.explorers.paths_explorer import paths_data
from stbp_edu.practice.explorers.pencil_network import pencil, smooth
from stbp_edu.practice.explorers.pulse_explorer import FIRST, one_neuron, pulse_data
from stbp_edu.practice.explorers.pulse_picture import alternative, still
from stbp_edu.practice.explorers.sweep_explorer import sweep_data
from stbp_edu.practice.feedback import markup
from stbp_edu.practice.tasks import ForwardPass, tasks

__all__ = [
    "EXPLORERS",
    "board_data",
    "data",
    "explore",
    "export",
    "lab_data",
    "paths_data",
    "pulse",
    "pulse_data",
    "source",
    "sweep_data",
]
EXPLORERS: dict[str, tuple[Callable[..., dict[str, Any]], Callable[[], ForwardPass] | None]] = {
    "sweep": (sweep_data, pencil),
    "paths": (paths_data, smooth),
    "pulse": (pulse_data, one_neuron),
    "lab": (lab_data, None),
    "board": (board_data, None),
}
"""What each explorer shows, and of which network where none is given; None where it takes none.

An explorer is an entry here and the module of its name in ``js/``.
"""

JS = Path(__file__).parent / "js"
IMPORT = 'from "./common.js";\n'


def data(name: str, net: ForwardPass | None = None) -> dict[str, Any]:
    """Return what the explorer of this name shows: of this network, or of the course's example.

    Raises:
        ValueError: if there is no explorer of this name, or it takes no network.
    """
    shown, example = EXPLORERS[checks.choice("name", name, EXPLORERS)]
    if example is None:
        if net is not None:
            raise ValueError(f"network must be left out for {name!r}, which shows fixed settings")
        return shown()
    return shown(net or example())


def explore(name: str, *network: Any) -> Any:
    """Return an explorer for a Jupyter notebook.

    Args:
        name: ``"sweep"``, ``"paths"``, ``"pulse"``, ``"lab"`` or ``"board"``.
        network: trace, targets, params and neuron of your own, but for the last two; small ones,
            since every cell or path is shown. Without, the course's example.

    Raises:
        ImportError: if anywidget is not installed.
        ValueError: if there is no explorer of this name, or it takes no network.
    """
    shown = data(name, ForwardPass(*network) if network else None)
    return _widget_class(name)(data=shown)


@dataclass(frozen=True, repr=False)
class Pulse:
    """An error pulse, ready to be shown: played where it can be, else a picture with words."""

    data: dict[str, Any]

    def __repr__(self) -> str:
        return f"[Explorer: {alternative(self.data, self.data['rule'])}]"

    def _repr_svg_(self) -> str:
        """Return the picture, with what a page needs to play it."""
        picture = still(self.data, self.data["rule"])
        kept = escape(json.dumps(self.data, separators=(",", ":"), ensure_ascii=False), quote=False)
        return picture.replace(
            "<title>", f'<metadata data-explorer="pulse">{kept}</metadata><title>', 1
        )

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        """Return picture and words and, where Jupyter has anywidget, the explorer."""
        bundle = {"image/svg+xml": self._repr_svg_(), "text/plain": repr(self)}
        try:
            shown = _widget_class("pulse")(data=self.data)._repr_mimebundle_()
        except ImportError:
            return bundle
        live = shown[0] if isinstance(shown, tuple) else shown or {}
        return {**live, **bundle}


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
    return Pulse(pulse_data(ForwardPass(*network) if network else one_neuron(), start, rule=rule))


@cache
def _widget_class(name: str) -> Any:
    """Return the anywidget class of an explorer."""
    try:
        import anywidget
        import traitlets
    except ImportError as error:
        raise ImportError(
            "explore needs anywidget: pip install 'stbp-edu[notebooks]'; on the site the "
            "explorers run without it"
        ) from error
    body = {"_esm": source(name), "data": traitlets.Dict().tag(sync=True)}
    return type(f"{name.title()}Explorer", (anywidget.AnyWidget,), body)


def source(name: str) -> str:
    """Return an explorer's ES module with what it imports, for anywidget."""
    common = (JS / "common.js").read_text(encoding="utf-8").replace("export ", "")
    colours = css('[data-jp-theme-light="false"]')
    common = common.replace('PALETTE = ""', f"PALETTE = {json.dumps(colours)}")
    module = (JS / f"{name}.js").read_text(encoding="utf-8")
    return common + module.split(IMPORT, 1)[-1]


def export(folder: str | Path) -> list[Path]:
    """Write modules and data for the site to ``folder``; return the files."""
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    files = {path.name: path.read_text(encoding="utf-8") for path in sorted(JS.glob("*.js"))}
    for name in EXPLORERS:
        files[f"{name}.json"] = json.dumps(data(name), separators=(",", ":"), allow_nan=False)
    listed = [
        {"id": t.id, "html": markup(t.title), "notebook": t.notebook, "course": t.in_course}
        for t in tasks().values()
    ]
    files["exercises.json"] = json.dumps(listed, ensure_ascii=False)
    for name, text in files.items():
        (target / name).write_text(text, encoding="utf-8")
    return [target / name for name in files]
