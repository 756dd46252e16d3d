"""Trace which files of the package an action enters, and in which order.

``python -m tests.architecture.flows`` prints the flows that the architecture page draws, each
traced in this process, where nothing is warm yet; ``--write`` records them for the page.
"""

import json
import os
import sys
import tempfile
from collections.abc import Callable
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import replace
from io import StringIO
from pathlib import Path
from traceback import walk_stack
from types import FrameType
from typing import Any

import stbp_edu
from stbp_edu.cli.main import main as stbp_edu_command
from stbp_edu.engine.passes import Passes
from stbp_edu.practice import check
from stbp_edu.training.data import CATALOGUE
from stbp_edu.training.data.recipes import MNIST
from tests.idx_files import put, small_files, sums
from tools.pages.architecture_page import FLOWS

PACKAGE = Path(stbp_edu.__file__).parent
Flow = list[
    dict[str, str]
]  # for each file that is entered: its path, and its first function


class Reached(BaseException):
    """The function that ends a flow was called; no ``except Exception`` may stop it."""


def trace(action: Callable[[], Any], last: Callable[..., Any] | None = None) -> Flow:
    """Return the files in which ``action`` calls a function, until it calls ``last``.

    What runs because a module is imported does not count: it is no step of the action.
    """
    end = None if last is None else last.__code__
    entered: dict[str, str] = {}

    def profile(frame: FrameType, event: str, _: Any) -> None:
        file = Path(frame.f_code.co_filename)
        if event == "call" and PACKAGE in file.parents and not _importing(frame):
            entered.setdefault(
                file.relative_to(PACKAGE).as_posix(), frame.f_code.co_name
            )
            if frame.f_code is end:
                raise Reached

    sys.setprofile(profile)
    try:
        action()
    except Reached:
        pass
    finally:
        sys.setprofile(None)
    return [{"file": file, "function": function} for file, function in entered.items()]


def _importing(frame: FrameType) -> bool:
    """Return whether a frame runs because a module is being imported."""
    codes = (above.f_code for above, _ in walk_stack(frame))
    return any(
        c.co_name == "<module>" and PACKAGE in Path(c.co_filename).parents
        for c in codes
    )


def train_flow() -> Flow:
    """Trace ``train mnist`` from the command to the first gradient, with the data in the cache."""
    raw = small_files()
    small = replace(MNIST, sha256=sums(raw))
    CATALOGUE["mnist"] = replace(CATALOGUE["mnist"], load=small.load)
    put(Path(os.environ["XDG_CACHE_HOME"]) / "stbp_edu" / "mnist", raw)
    return trace(lambda: stbp_edu_command(["train", "mnist"]), last=Passes.gradients)


def flows() -> dict[str, Flow]:
    """Return the flows, traced in an empty folder; ``wrong`` comes after ``check``."""
    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        os.environ |= {
            "XDG_CACHE_HOME": folder,
            "STBP_EDU_PROGRESS": f"{folder}/progress.json",
        }
        with redirect_stdout(StringIO()), redirect_stderr(StringIO()):
            return {
                "train": train_flow(),
                "check": trace(
                    lambda: check(
                        "c3-delta", lambda last, err, U, df: last + err * U * df
                    )
                ),
                "wrong": trace(
                    lambda: check(
                        "c3-delta", lambda last, err, U, df: last - 3 * err * U * df
                    )
                ),
            }


if __name__ == "__main__":
    text = json.dumps(flows(), indent=1) + "\n"
    if "--write" in sys.argv:
        FLOWS.write_text(text, encoding="utf-8")
    print(text)
