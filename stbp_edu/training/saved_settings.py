"""Settings as JSON holds them, in the records of older versions, too."""

from dataclasses import asdict, fields
from typing import Any

from stbp_edu._support import checks
from stbp_edu.training.settings import Settings

ENDED = {"adversarial": 0.0, "fgsm": "untargeted"}
"""Settings of older records that changed nothing at these values."""


def to_dict(settings: Settings) -> dict[str, Any]:
    """Return the settings as JSON can hold them."""
    values = asdict(checks.instance("settings", settings, Settings))
    return {k: list(v) if isinstance(v, tuple) else v for k, v in values.items()}


def from_dict(values: dict[str, Any]) -> Settings:
    """Return the settings that :func:`to_dict` wrote, or that a published record has.

    Raises:
        ValueError: if a name is unknown, or a value is none that this version follows.
    """
    values = dict(checks.instance("settings", values, dict))
    if "optimizer" in values:  # the American spelling of older records
        values["optimiser"] = values.pop("optimizer")
    values.pop("shards", None)  # a pool of processes, which changed no result
    for name, off in ENDED.items():
        if values.get(name, off) == off:
            values.pop(name, None)
    known = sorted(f.name for f in fields(Settings))
    if unknown := sorted({*values} - {*known}):
        raise ValueError(
            f"settings must be among {known}, got {unknown}; was this file written by another "
            "version?"
        )
    return Settings(**values)
