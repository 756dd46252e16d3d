"""The page's runner of cells, outside a page."""

from __future__ import annotations

import importlib.util
import json
import sys
from typing import Any

import pytest

from tools.site import ROOT

RUNNER = ROOT / "docs" / "assets" / "live" / "runner.py"


@pytest.fixture
def runner(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return the page's runner, and the list of what it sends, as it works outside a page."""
    spec = importlib.util.spec_from_file_location("page_runner", RUNNER)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setitem(sys.modules, "__main__", type(sys)("__main__"))
    monkeypatch.setitem(sys.modules, "IPython", sys.modules.get("IPython"))
    monkeypatch.setitem(sys.modules, "IPython.display", sys.modules.get("IPython.display"))
    sent: list[dict[str, Any]] = []
    made = module.Runner(lambda text: sent.append(json.loads(text)))
    return made, sent, module


def test_the_runner_shows_the_last_value_and_keeps_variables(runner: Any) -> None:
    """The last expression is shown, a semicolon silences it, variables stay."""
    made, sent, _ = runner
    assert json.loads(made.run("x = 2\nprint('p')\nx + 1", 1)) == {"ok": True}
    assert "".join(m["text"] for m in sent if m["type"] == "stream") == "p\n"
    assert sent[-1] == {"type": "display", "data": {"text/plain": "3"}}
    sent.clear()
    assert json.loads(made.run("x;", 2)) == {"ok": True}
    assert not sent


def test_the_runner_trims_tracebacks(runner: Any) -> None:
    """Only the reader's lines are told, and of a library's the last."""
    made, _, _ = runner
    error = json.loads(made.run("import json\njson.loads('{')", 4))["error"]
    assert error["name"] == "JSONDecodeError"
    assert error["text"].count('File "') == 2
    assert 'File "cell 4", line 2' in error["text"]
    assert "runner.py" not in error["text"]


def test_long_containers_go_one_entry_a_line(runner: Any) -> None:
    """As in Jupyter, a list that does not fit is broken at every entry."""
    _, _, module = runner
    assert module.pretty([1, 2]) == "[1, 2]"
    assert module.pretty(["x" * 50, "y" * 50]) == f"['{'x' * 50}',\n '{'y' * 50}']"
