"""Sweeps for tests to run and compare."""

from stbp_edu._support.files import read_json
from stbp_edu.training.runs import PARAMS, RECORD
from stbp_edu.training.sweeps import PLAN_RECORD, Plan

QUICK = {"hidden": [16], "T": 2, "batch": 100, "epochs": 6}


def plan(folder, seeds=5, **more):
    """Return a plan of four combinations and as many seeds; each run takes about half a second."""
    axes = {"rule": ["exact", "classic"], "a": [0.25, 0.5]}
    given = {"base": QUICK, "axes": axes, "encodings": 1, **more}
    return Plan("digits", list(range(seeds)), folder, **given)


def last(results):
    """Carry a sweep out, and return what has ended."""
    *_, final = results
    return final


def bits(folder):
    """Return the parameters of every run, after comparing the records with the folders."""
    runs = read_json(folder / PLAN_RECORD)["runs"]
    assert sorted(runs) == sorted(
        path.parent.name for path in folder.glob(f"*/{RECORD}")
    )
    assert all(
        sorted(p.name for p in (folder / r).iterdir()) == [PARAMS, RECORD] for r in runs
    )
    return {run: (folder / run / PARAMS).read_bytes() for run in runs}
