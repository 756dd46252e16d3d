"""Trace which files of the package an action enters, and in which order."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "stbp_edu"
RECORD = ROOT / "docs" / "assets" / "flows.json"
Flow = list[dict[str, str]]
"""For each file in the order of entry: its path, the function entered, and the file that called."""


class Reached(BaseException):
    """The function that ends a flow was called; no ``except Exception`` may stop it."""


def trace(action: Callable[[], Any], last: Callable[..., Any] | None = None) -> Flow:
    """Return the files in which ``action`` calls a function, until it calls ``last``.

    What runs because a module is imported does not count: it is no step of the action.
    """
    end = None if last is None else last.__code__
    entered: dict[str, dict[str, str]] = {}

    def profile(frame: FrameType, event: str, _: Any) -> None:
        file = Path(frame.f_code.co_filename)
        if event != "call" or PACKAGE not in file.parents or _importing(frame):
            return
        name = file.relative_to(PACKAGE).as_posix()
        if name not in entered:
            caller = {"file": name, "function": frame.f_code.co_qualname, "from": _caller(frame)}
            entered[name] = caller
        if frame.f_code is end:
            raise Reached

    before = sys.getprofile()
    sys.setprofile(profile)
    try:
        action()
    except Reached:
        pass
    finally:
        sys.setprofile(before)
    return list(entered.values())


def _importing(frame: FrameType | None) -> bool:
    """Return whether a frame runs because a module of the package is being imported."""
    while frame is not None:
        if frame.f_code.co_name == "<module>" and PACKAGE in Path(frame.f_code.co_filename).parents:
            return True
        frame = frame.f_back
    return False


def _caller(frame: FrameType) -> str:
    """Return the nearest other file of the package on the stack, or an empty string."""
    here, back = frame.f_code.co_filename, frame.f_back
    while back is not None:
        file = Path(back.f_code.co_filename)
        if back.f_code.co_filename != here and PACKAGE in file.parents:
            return file.relative_to(PACKAGE).as_posix()
        back = back.f_back
    return ""


def recorded() -> dict[str, Flow]:
    """Return the flows that the architecture page draws."""
    found: dict[str, Flow] = json.loads(RECORD.read_text(encoding="utf-8"))
    return found
