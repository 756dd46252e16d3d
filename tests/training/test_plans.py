"""Plans: every run is trained, whoever is killed meanwhile, with the bits of ``stbp-edu train``."""

import multiprocessing
import sys
from contextlib import nullcontext

import pytest
from filelock import FileLock

from stbp_edu._support.files import read_json
from stbp_edu.cli.main import main
from stbp_edu.training.runs import PARAMS, RECORD
from stbp_edu.training.sweeps import PLAN_RECORD, processes, read_plan, run_plan
from tests.sweeps import bits, last, plan

TOML = """
dataset = "digits"
seeds = [0, 1]
folder = "{folder}"
encodings = 1

[base]
hidden = [16]
T = 2
batch = 100
epochs = 6

[axes]
a = [0.25, 0.5]
"""
ALONE = "train digits --hidden 16 --T 2 --batch 100 --epochs 6 --encodings 1 --rule exact --a 0.5"


@pytest.fixture
def written(tmp_path):
    """A plan of four runs in a file."""
    path = tmp_path / "plan.toml"
    path.write_text(TOML.format(folder=tmp_path / "runs"))
    return path


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """The parameters of eight runs that nobody disturbs."""
    folder = tmp_path_factory.mktemp("undisturbed")
    assert len(last(run_plan(plan(folder, 2), processes(2)))) == 8
    return bits(folder)


def test_the_name_of_a_run_is_a_folder_s_on_every_system(tmp_path):
    """Where a neuron is a file with lines, that of the file."""
    file = tmp_path / "leaky.txt"
    file.write_text("u = 0.5 * u + x; o = spike(u - 1)")
    axes = {"hidden": [[8, 4]], "surrogate": ["triangle"], "lr": [1]}
    runs = plan(tmp_path, 1, base={}, axes={**axes, "neuron": [str(file)]}).runs()
    assert [*runs] == ["hidden=8-4,surrogate=triangle,lr=1.0,neuron=leaky,seed=0"]


@pytest.mark.slow
def test_each_run_has_the_bits_of_train_and_is_done_once(written, tmp_path, capsys):
    assert main(["sweep", str(written), "--processes", "2"]) == 0
    said = capsys.readouterr()
    assert "4/4 a=" in said.err
    assert "a=0.5   2 of 2 seeds" in said.out
    alone, ours = tmp_path / "alone", tmp_path / "runs" / "a=0.5,seed=1"
    assert main([*ALONE.split(), "--seed", "1", "--out", str(alone)]) == 0
    params = (alone / "exact" / PARAMS).read_bytes()
    assert (ours / PARAMS).read_bytes() == params
    results = read_json(tmp_path / "runs" / PLAN_RECORD)["runs"]
    assert results[ours.name]["accuracy"] == read_json(ours / RECORD)["accuracy"]
    files = sorted((tmp_path / "runs").glob("*/*"))
    before = [p.stat().st_mtime_ns for p in files]
    assert len(last(run_plan(read_plan(written), nullcontext(None)))) == 4
    assert [p.stat().st_mtime_ns for p in files] == before


@pytest.mark.slow
def test_a_killed_process_ends_the_sweep_which_goes_on_to_the_same_bits(
    undisturbed, tmp_path
):
    """One of two is killed while runs are left."""
    running = run_plan(plan(tmp_path, 2), processes(2))
    assert [len(next(running)) for _ in range(4)] == [0, 1, 2, 3]
    multiprocessing.active_children()[0].kill()
    with pytest.raises(ChildProcessError, match="give the same command to go on"):
        last(running)
    assert multiprocessing.active_children() == []
    assert len(last(run_plan(plan(tmp_path, 2), processes(2)))) == 8
    assert bits(tmp_path) == undisturbed


@pytest.mark.slow
def test_a_run_that_fails_stops_no_other_and_is_tried_again(tmp_path):
    small = plan(tmp_path, 1)
    first, *others = small.runs()
    with FileLock(tmp_path / f".{first}.lock"):  # as if somebody else trained it
        results = last(run_plan(small, processes(1)))
    assert "is in use by another run" in results[first]["error"]
    assert all("accuracy" in results[run] for run in others)
    assert read_json(tmp_path / PLAN_RECORD)["runs"] == results
    _, again = run_plan(small, processes(1))
    assert "accuracy" in again[first]
    assert len(bits(tmp_path)) == 4


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("seeds = [0, 1]", "seeds = [0, 1", "must be a TOML file"),
        ("seeds = [0, 1]", "", "must have dataset and seeds"),
        ("[0, 1]", "[0, 0]", "runs must differ, got a=0.25,seed=0 twice"),
        ("[0.25, 0.5]", "[]", "a must list at least one value"),
        ("[0.25, 0.5]", '["wide"]', "a must be a real number"),
        ("a = [0.25, 0.5]", "T = [2, 3]", "base and axes must name settings, each"),
        ('"digits"', '"digit"', "dataset must be one of"),
        ("encodings = 1", "encodings = 0", "encodings must be >= 1"),
        ("encodings = 1", "epochs = 3", "settings belong under [base]"),
        ("[base]", "[[base]]", "base must be of type dict"),
    ],
)
def test_a_bad_plan_is_told_before_a_run(old, new, said, written, tmp_path, capsys):
    assert old in written.read_text()
    written.write_text(written.read_text().replace(old, new))
    assert main(["sweep", str(written)]) == 2
    assert said in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == [written]


def test_without_dask_its_option_says_what_to_install(written, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "distributed", None)
    assert main(["sweep", str(written), "--dask", "tcp://127.0.0.1:1"]) == 2
    assert "pip install distributed" in capsys.readouterr().err
    assert not (written.parent / "runs").exists()
