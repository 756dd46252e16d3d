"""The kinds of settings: what each may be, how it is checked, and what its help says."""

import re
from collections.abc import Callable, Collection
from dataclasses import field
from functools import partial
from typing import Any

from stbp_edu._support import checks
from stbp_edu._support.sizes import hidden_layer
from stbp_edu.arrows import RULES
from stbp_edu.arrows.any_neuron import as_neuron, as_text
from stbp_edu.case_rules import ABLATIONS, CASE_RULES
from stbp_edu.surrogates import SURROGATES
from stbp_edu.training.own import own_rule

TRAINED = (
    *CASE_RULES,
    *ABLATIONS,
    *(r for r in RULES if r not in CASE_RULES + ABLATIONS),
)
"""The rules to train with, and truncated-K for any K."""
TRUNCATED = re.compile(r"truncated-(\d{1,4})")
BACKENDS = ("auto", "numpy", "compiled")
MOMENTUM, BETA_2 = 0.9, 0.999
"""How much of its means of gradients and of their squares Adam keeps, if nothing is said."""


def setting(default: Any, check: Callable[[str, Any], Any], words: str) -> Any:
    """Declare a setting: a check that takes its name and value and returns the value, and help."""
    return field(default=default, metadata={"check": check, "help": words})


def one_of(
    default: str, options: Collection[str], before: str = "", after: str = ""
) -> Any:
    """Declare a setting that is one of some words, which its help names."""
    *others, last = options
    check = partial(checks.choice, options=options)
    return setting(default, check, f"{before}{', '.join(others)} or {last}{after}")


def share_below_1(name: str, value: object) -> float:
    """Return a number in [0, 1)."""
    if not 0 <= (share := checks.number(name, value)) < 1:
        raise ValueError(f"{name} must be in [0, 1), got {value!r}; 0 turns it off")
    return share


def from_zero(name: str, value: object) -> float:
    """Return a number that is positive, or 0, which turns it off."""
    if (found := checks.number(name, value)) < 0:
        raise ValueError(f"{name} must be >= 0, got {value!r}; 0 turns it off")
    return found


def switch(name: str, value: object) -> bool:
    """Return True or False."""
    return checks.instance(name, value, bool)


def rule_name(name: str, value: object) -> str:
    """Return the name of a rule, or ``module:name`` of your own."""
    if isinstance(value, str) and TRUNCATED.fullmatch(value):
        return value
    if isinstance(value, str) and ":" in value:
        own_rule(value)  # which says what is wrong with it
        return value
    return checks.choice(name, value, TRAINED)


def surrogate_name(name: str, value: object) -> str:
    """Return the name of a surrogate, or ``module:name`` of your own."""
    if isinstance(value, str) and ":" in value:
        return value
    return checks.choice(name, value, SURROGATES)


def hidden_layers(name: str, value: object) -> tuple[int | str, ...]:
    """Return hidden layers as a tuple of widths, and of parts such as 15C5 and P2."""
    if not isinstance(value, (list, tuple)):
        return checks.widths(name, value)
    return tuple(
        hidden_layer(name, part)
        if isinstance(part, str)
        else checks.count(f"{name}[{n}]", part)
        for n, part in enumerate(value)
    )


def constant_names(name: str, value: object) -> tuple[str, ...]:
    """Return names of constants as a tuple."""
    if not isinstance(value, list | tuple) or not all(
        isinstance(k, str) for k in value
    ):
        raise TypeError(
            f"{name} must list names of constants, got {checks.brief(value)}; write {name}=['tau']"
        )
    return tuple(value)


def forward_lines(name: str, value: object) -> str:
    r"""Return a text with one line for each state or constant, and no comments.

    >>> forward_lines("neuron", "u = u + x; o = spike(u - 1)  # no leak")
    'u = u + x\no = spike(u - 1)'
    """
    text = value if isinstance(value, str) else as_text(as_neuron(value, name))
    lines = (
        part for line in text.split("\n") for part in line.partition("#")[0].split(";")
    )
    return "\n".join(line.strip() for line in lines if line.strip())


COUNT, FROM_0, NUMBER = checks.count, partial(checks.count, at_least=0), checks.number
POSITIVE = partial(checks.number, positive=True)
