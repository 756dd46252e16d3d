from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest

from stbp_edu.cli import train as commands
from stbp_edu.cli.review import in_words, open_run
from stbp_edu.files import load_params, save_params
from stbp_edu.training.loop.evaluation import Evaluation
from stbp_edu.training.runs import figures

QUICK = ["--epochs", "3", "--hidden", "30", "--T", "4", "--batch", "100", "--encodings", "2"]


def call(*argv: str | Path) -> int:
    parser = argparse.ArgumentParser()
    commands.add_parsers(parser.add_subparsers(required=True))
    args = parser.parse_args(list(map(str, argv)))
    return args.run(args)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A finished run with both rules."""
    out = tmp_path_factory.mktemp("run")
    assert call("train", "digits", "--out", out, *QUICK) == 0
    return out


def test_eval_prints_mean_and_spread_and_what_is_mistaken(folder: Path, capsys) -> None:
    assert call("eval", folder / "exact", "--encodings", "4") == 0
    first = capsys.readouterr().out
    found = re.search(r"digits, exact: (\d+\.\d+)% ± (\d+\.\d+)% over 4 encodings of 359", first)
    assert found is not None
    record = json.loads((folder / "exact" / "record.json").read_text())
    assert float(found[1]) == pytest.approx(100 * record["accuracy"]["mean"], abs=6)
    assert re.search(r"Most often mistaken: \d for \d \(\d+\.\d an encoding\)", first)
    call("eval", folder / "exact", "--encodings", "4")
    assert capsys.readouterr().out == first
    call("eval", folder / "exact", "--encodings", "4", "--seed", "1")
    assert capsys.readouterr().out != first


def test_words_of_an_evaluation() -> None:
    table = np.array([[8, 2, 0], [0, 9, 1], [3, 0, 7]])
    record = {"dataset": "three", "settings": {"rule": "exact"}}
    words = in_words(Evaluation((0.7, 0.9), table), record)
    assert "80.00% ± 14.14% over 2 encodings of 15 held-out images" in words
    assert "(from 70.00% to 90.00%)" in words
    assert "± 10.33%" in words  # √(0.8 · 0.2 / 15)
    assert "0 for 2 (1.5 an encoding), 1 for 0 (1.0 an encoding), 2 for 1 (0.5" in words
    perfect = in_words(Evaluation((1.0,), np.eye(3, dtype=int)), record)
    assert "mistaken" not in perfect


def test_plot_draws_curves_spikes_and_weights(folder: Path, tmp_path: Path, capsys) -> None:
    runs = [folder / "exact", folder / "classic"]
    assert call("plot", *runs, "--out", tmp_path, "--image", "5") == 0
    printed = capsys.readouterr().out.split()
    assert printed == [str(tmp_path / f"{n}.svg") for n in ("curves", "raster", "weights")]
    record = json.loads((folder / "exact" / "record.json").read_text())
    svg = {n: (tmp_path / f"{n}.svg").read_text() for n in ("curves", "raster", "weights")}
    assert all(s.startswith("<svg") and "aria-label=" in s for s in svg.values())
    assert f"exact: loss {record['curves'][-1]['loss']:.3f}" in svg["curves"]
    assert "classic: loss" in svg["curves"]
    assert re.search(r"for an image of \d; the network answers \d", svg["raster"])
    assert "18 neurons of layer 1" in svg["weights"]


def test_a_figure_that_cannot_be_written_says_where_and_what_to_do(
    folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "taken").write_text("a file where the folder should be")
    with pytest.raises(
        OSError, match=r"curves\.svg could not be written .*another folder with --out"
    ):
        call("plot", folder / "exact", "--out", tmp_path / "taken")
    assert [p.name for p in tmp_path.iterdir()] == ["taken"]


def test_figures_say_what_they_need(monkeypatch) -> None:
    monkeypatch.delattr("stbp_edu.plotting", raising=False)
    monkeypatch.setitem(sys.modules, "stbp_edu.plotting", None)  # importing it now fails
    with pytest.raises(ImportError, match=r"pip install 'stbp-edu\[plot\]'"):
        figures.curves({})


def test_a_folder_without_a_run_is_named(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"there are runs in .*classic, .*exact"):
        call("eval", folder)
    with pytest.raises(FileNotFoundError, match="train one first"):
        call("plot", tmp_path)
    with pytest.raises(ValueError, match="image must be from 0 to 358, got 359"):
        call("plot", folder / "exact", "--image", "359", "--out", tmp_path)


def test_files_of_two_runs_or_of_something_else_are_named(folder: Path, tmp_path: Path) -> None:
    record = json.loads((folder / "exact" / "record.json").read_text())
    save_params(tmp_path / "params.npz", load_params(folder / "exact" / "params.npz"))
    (tmp_path / "record.json").write_text(json.dumps(record))
    assert open_run(tmp_path).settings.hidden == (30,)
    other = {**record, "settings": {**record["settings"], "hidden": [31]}}
    (tmp_path / "record.json").write_text(json.dumps(other))
    with pytest.raises(ValueError, match=r"must have hidden widths \(31,\) .*these files are of"):
        open_run(tmp_path)
    (tmp_path / "record.json").write_text("[1, 2]")
    with pytest.raises(ValueError, match="must be a record that `stbp-edu train` wrote"):
        open_run(tmp_path)
    (tmp_path / "record.json").write_text('{"settings": {')
    with pytest.raises(ValueError, match="must be a JSON file"):
        open_run(tmp_path)
