"""Your own neuron as a setting.

It is a text, or a file with it, that is read as :func:`stbp_edu.derive` reads it::

    tau = 0.9; v_th = 1
    u = tau * u * (1 - o) + x; o = spike(u - v_th)
"""

from functools import lru_cache
from pathlib import Path
from typing import Any

from stbp_edu._support import checks
from stbp_edu._support.files import read_text
from stbp_edu.arrows.arrow import Neuron, neuron_from
from stbp_edu.lines.text import read_lines
from stbp_edu.networks.arguments import as_neuron, as_text
from stbp_edu.neuron import LIF


def forward_lines(name: str, value: object) -> str:
    r"""Return a text with one line for each state or constant, and no comments.

    It comes from a text, a file of that name, or a neuron.

    >>> forward_lines("neuron", "u = u + x; o = spike(u - 1)  # no leak")
    'u = u + x\no = spike(u - 1)'
    """
    text = value if isinstance(value, str) else as_text(as_neuron(value, name))
    if text and "=" not in text:
        try:
            text = read_text(Path(text))
        except (OSError, ValueError) as error:
            raise ValueError(
                f"{name} must be forward lines, such as 'u = tau * u + x; o = spike(u - v_th)', or "
                f"a file with them, got {checks.brief(text)} ({error})"
            ) from error
    lines = (
        part for line in text.split("\n") for part in line.partition("#")[0].split(";")
    )
    return "\n".join(line.strip() for line in lines if line.strip())


def read_neuron(setting: str, text: str, lif: LIF, *learn: tuple[str, ...]) -> Neuron:
    """Return the neuron of a text of forward lines; the error names the setting.

    Part I's neuron has the surrogate, and what the lines do not give. ``learn`` are the constants
    that each layer learns, and each neuron; the text need not have them.
    """
    try:
        lines = _lines(text, lif.tau, lif.v_th)
        mine = ([name for name in names if name in lines.constants] for names in learn)
        return neuron_from(lines, lif.surrogate, *mine)
    except ValueError as error:
        raise ValueError(f"{setting}, {error}") from error


@lru_cache(maxsize=64)  # each recipe reads its lines once
def _lines(text: str, tau: float, v_th: float) -> Any:
    return read_lines(text, {}, {"tau": tau, "v_th": v_th})
