from __future__ import annotations

import io
import sys
from dataclasses import replace

from stbp_edu.cli.train import watch
from stbp_edu.training import train


def test_where_there_is_no_terminal_lines_and_advice_are_printed(small, digits, capsys) -> None:
    settings = replace(small, v_th=1000.0, T=1)
    epochs = list(watch(train(settings, digits), settings, "digits, exact"))
    assert [e.epoch for e in epochs] == [1, 2]
    lines = capsys.readouterr().err.splitlines()
    assert sum("layer 1 is silent" in line for line in lines) == 1
    told = [line for line in lines if line.startswith("digits, exact: epoch")]
    assert len(told) == 2
    assert f"loss {epochs[0].loss:.4f}" in told[0]
    assert "firing 0." in told[0]


def test_on_a_terminal_a_bar_moves_and_is_wiped(small, few, monkeypatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("COLUMNS", "140")
    settings = replace(small, epochs=12)  # longer than a tenth of a second
    list(watch(train(settings, few), settings, "digits, exact"))
    drawn = terminal.getvalue().split("\r")
    assert any("digits, exact: epoch " in d and " left" in d for d in drawn)
    assert max(len(d) for d in drawn if "!" not in d) <= 140  # advice may be longer
    assert drawn[-1] == "" or drawn[-2].isspace()
