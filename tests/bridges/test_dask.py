"""Sweeps on a Dask cluster of two workers: one is killed, and nothing is lost or done twice."""

import os
import signal
import socket

import pytest
from distributed import Client, LocalCluster

from stbp_edu.cli.main import main
from stbp_edu.training import sweeps
from stbp_edu.training.sweeps import cluster, processes, run_plan
from tests.sweeps import QUICK, bits, last, plan

PATIENCE = 300  # seconds until a test that hangs is ended
BASE = {**QUICK, "epochs": 3}  # a checkpoint after each
TOML = 'dataset = "digits"\nseeds = [0]\nfolder = "{folder}"\n'


def test_a_killed_worker_loses_no_run(tmp_path):
    """Each of twenty runs ends once, with the parameters that it has without Dask."""
    last(run_plan(plan(tmp_path / "undisturbed", base=BASE), processes(2)))
    seen, results = [], {}
    settings = {"threads_per_worker": 1, "dashboard_address": ":0"}
    with LocalCluster(n_workers=2, **settings) as workers, Client(workers) as client:
        client.wait_for_workers(2, timeout=PATIENCE)
        where = cluster(workers.scheduler_address)
        for results in run_plan(plan(tmp_path / "killed", base=BASE), where):
            seen.append(len(results))
            if len(results) == 7:
                os.kill(min(client.run(os.getpid).values()), signal.SIGKILL)
    assert seen == list(range(21))
    assert not any("error" in result for result in results.values()), results
    assert bits(tmp_path / "killed") == bits(tmp_path / "undisturbed")


@pytest.fixture
def planned(tmp_path, monkeypatch):
    """Write a plan of one run, and return its path; it must leave no runs."""
    monkeypatch.setattr(sweeps, "PATIENCE", 1.0)
    path = tmp_path / "plan.toml"
    path.write_text(TOML.format(folder=tmp_path / "runs"))
    yield str(path)
    assert not (tmp_path / "runs").exists()


def test_an_address_that_nobody_answers_is_told(planned, capsys):
    with socket.create_server(("127.0.0.1", 0)) as silent:  # listens, and never answers
        given = f"tcp://127.0.0.1:{silent.getsockname()[1]}"
        assert main(["sweep", planned, "--dask", given]) == 2
    assert "dask must be the address of a scheduler" in capsys.readouterr().err


def test_a_scheduler_without_workers_is_told(planned, capsys):
    with LocalCluster(n_workers=0, dashboard_address=":0") as cluster:
        given = cluster.scheduler_address
        assert main(["sweep", planned, "--dask", given]) == 2
    assert f"dask worker {given} --nthreads 1" in capsys.readouterr().err
