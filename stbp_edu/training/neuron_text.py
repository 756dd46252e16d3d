"""A neuron of your own in the settings of a run: forward lines and constants, in one text.

    tau = 0.9; v_th = 1
    u = tau * u * (1 - o) + x; o = spike(u - v_th)

A line that gives a name a number is a constant; the others are forward lines, as
:func:`stbp_edu.derive` reads them. Lines may end in a semicolon, which a shell takes more easily.
"""

import re
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

CONSTANT = re.compile(r"(\w+)\s*=\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)")

DERIVE = r"derive\(\.\.\., (\w+)=0\.5\), or a line of its own"


def text_of(setting: str, given: object) -> str:
    """Return the lines that were given, or those in the file of that name.

    Raises:
        TypeError, ValueError: if it is neither; the message names the setting.
    """
    text = checks.instance(setting, given, str)
    if "=" in text or not text:
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


def constants_of(text: str) -> dict[str, float]:
    """Return the constants that a text gives.

    >>> constants_of("tau = 0.9; u = tau * u + x")
    {'tau': 0.9}
    """
    found = map(CONSTANT.fullmatch, tidy_lines(text).split("\n"))
    return {one[1]: float(one[2]) for one in found if one}


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
    given = constants_of(text)
    lines = [line for line in tidy_lines(text).split("\n") if not CONSTANT.fullmatch(line)]
    named = set(re.findall(r"[^\W\d]\w*", "\n".join(lines)))
    assigned = {line.partition("=")[0].strip() for line in lines}
    known = {k: v for k, v in defaults.items() if k in named - assigned} | given
    learned = (tuple(name for name in names if name in known) for names in learn)
    curve: Any = surrogate  # of frozen constants, so that it can be a key
    try:
        return _derived("\n".join(lines), tuple(known.items()), curve, *learned)
    except ValueError as error:
        said = re.sub(DERIVE, r"a line of its own: \1 = 0.5", str(error))
        raise ValueError(f"{setting}, {said}") from error


@lru_cache(maxsize=64)
def _derived(
    lines: str,
    constants: tuple[tuple[str, float], ...],
    surrogate: Surrogate,
    learn: tuple[str, ...],
    learn_each: tuple[str, ...],
) -> Neuron:
    """Return the neuron of forward lines."""
    return neuron_from(read_lines(lines, dict(constants)), surrogate, learn, learn_each)
