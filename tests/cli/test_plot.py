from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import call


@pytest.mark.slow
def test_plot_draws_curves_spikes_and_weights(folder: Path, tmp_path: Path, capsys) -> None:
    runs = [folder / "exact", folder / "classic"]
    assert call("plot", *runs, "--out", tmp_path) == 0
    printed = capsys.readouterr().out.split()
    assert printed == [str(tmp_path / f"{n}.svg") for n in ("curves", "raster", "weights")]
    record = json.loads((folder / "exact" / "record.json").read_text())
    svg = {n: (tmp_path / f"{n}.svg").read_text() for n in ("curves", "raster", "weights")}
    assert all(s.startswith("<svg") and "aria-label=" in s for s in svg.values())
    assert f"exact: loss {record['curves'][-1]['loss']:.3f}" in svg["curves"]
    assert "classic: loss" in svg["curves"]
    assert re.search(r"for an image of \d; the network answers \d", svg["raster"])
    assert "18 neurons of layer 1" in svg["weights"]


@pytest.mark.slow
def test_a_figure_that_cannot_be_written_says_where_and_what_to_do(
    folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "taken").write_text("a file where the folder should be")
    with pytest.raises(
        OSError, match=r"curves\.svg could not be written .*another folder with --out"
    ):
        call("plot", folder / "exact", "--out", tmp_path / "taken")
    assert [p.name for p in tmp_path.iterdir()] == ["taken"]


def test_figures_say_what_they_need(folder: Path, monkeypatch) -> None:
    monkeypatch.delattr("stbp_edu.plotting", raising=False)
    monkeypatch.delattr("stbp_edu.training.runs.run_figures", raising=False)
    for module in ("stbp_edu.plotting", "stbp_edu.training.runs.run_figures"):
        monkeypatch.delitem(sys.modules, module, raising=False)
    monkeypatch.setitem(sys.modules, "matplotlib", None)  # importing it now fails
    with pytest.raises(ImportError, match=r"pip install 'stbp-edu\[plot\]'"):
        call("plot", folder / "exact")


def test_a_folder_without_a_run_is_named(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"there are runs in .*classic, .*exact"):
        call("eval", folder)
    with pytest.raises(FileNotFoundError, match="train one first"):
        call("plot", tmp_path)


@pytest.mark.slow
def test_a_run_whose_inputs_are_no_pixels_is_drawn_without_weights(tmp_path: Path, capsys) -> None:
    quick = ["--epochs", "1", "--hidden", "5", "--T", "9", "--encodings", "1", "--batch", "640"]
    assert call("train", "delayed-xor", "--out", tmp_path, *quick) == 0
    capsys.readouterr()
    assert call("plot", tmp_path / "exact") == 0
    names = [Path(path).name for path in capsys.readouterr().out.split()]
    assert names == ["curves.svg", "raster.svg"]
