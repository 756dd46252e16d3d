"""Settings read from JSON, as it is in the records of this version and of older ones."""

from dataclasses import fields
from typing import Any

from stbp_edu._support import checks
from stbp_edu.training.settings import Settings

ENDED = {"adversarial": 0.0, "fgsm": "untargeted"}
"""Settings of older records that changed nothing at these values."""


def from_dict(values: dict[str, Any]) -> Settings:
    """Return the settings that :func:`.to_dict` wrote, or that a published record has.

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
