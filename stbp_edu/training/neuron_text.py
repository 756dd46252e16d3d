"""A neuron of your own in the settings of a run: forward lines and constants, in one text.

    tau = 0.9; v_th = 1
    u = tau * u * (1 - o) + x; o = spike(u - v_th)

It is read as :func:`stbp_edu.derive` reads it.
"""

from collections.abc import Collection, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from stbp_edu import checks
from stbp_edu.arrows import Neuron
from stbp_edu.arrows.lines.from_lines import neuron_from
from stbp_edu.arrows.lines.text import read_lines
from stbp_edu.files import read_text
from stbp_edu.surrogates import Surrogate


def text_of(setting: str, given: object) -> str:
    """Return the lines that were given, or those in the file of that name.

    Raises:
        TypeError, ValueError: if it is neither; the message names the setting.
    """
    text = checks.instance(setting, given, str)
    if "=" in text:
        return text
    try:
        return read_text(Path(text))
    except (OSError, ValueError) as error:
        raise ValueError(
            f"{setting} must be forward lines, such as 'u = tau * u + x; o = spike(u - v_th)', or "
            f"a file with them, got {checks.brief(given)} ({error})"
        ) from error


def tidy_lines(text: str) -> str:
    r"""Return a text with one line for each state or constant, and no comments.

    >>> tidy_lines("u = u + x; o = spike(u - 1)  # no leak")
    'u = u + x\no = spike(u - 1)'
    """
    lines = (part for line in text.split("\n") for part in line.partition("#")[0].split(";"))
    return "\n".join(line.strip() for line in lines if line.strip())


def read_neuron(
    setting: str,
    text: str,
    defaults: Mapping[str, float],
    surrogate: Surrogate,
    *learn: Collection[str],
) -> Neuron:
    """Return the neuron of a text.

    Args:
        setting: what to call it in an error.
        text: forward lines and constants.
        defaults: constants that a line may read although the text does not give them.
        surrogate: h, which stands in for the derivative of the spike.
        learn: the constants that each layer learns, then those that each neuron learns; those that
            the text does not have are left out.

    Raises:
        ValueError: if a line is not understood; it shows the line and the place.
    """
    curve: Any = surrogate  # of frozen constants, so that it can be a key
    try:
        return _derived(text, tuple(defaults.items()), curve, *map(tuple, learn))
    except ValueError as error:
        raise ValueError(f"{setting}, {error}") from error


@lru_cache(maxsize=64)
def _derived(
    text: str,
    defaults: tuple[tuple[str, float], ...],
    surrogate: Surrogate,
    *learn: tuple[str, ...],
) -> Neuron:
    """Return the neuron of a text."""
    lines = read_lines(text, {}, dict(defaults))
    learned = ([name for name in names if name in lines.constants] for names in learn)
    return neuron_from(lines, surrogate, *learned)
