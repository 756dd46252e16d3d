"""Sweeps on a Dask cluster of two workers: one is killed, and nothing is lost or done twice."""

import os
import random
import signal
import socket
import time

import dask
import pytest
from distributed import Client, LocalCluster

from stbp_edu.cli.main import main
from stbp_edu.training import sweeps
from stbp_edu.training.sweeps import cluster, processes, run_plan
from tests.sweeps import QUICK, bits, last, plan

PATIENCE = 300  # seconds until a test that hangs is ended
BASE = {**QUICK, "epochs": 3}  # a checkpoint after each
TOML = 'dataset = "digits"\nseeds = [0]\nfolder = "{folder}"\n'


@pytest.fixture(scope="module")
def address():
    """The address of a cluster of two workers, each a process that comes back when it is killed.

    A cluster looks 15 seconds later whether it is back, and else closes it for good. By then the
    next trial may have killed it again, so that it looks later here.
    """
    later = dask.config.set({"distributed.deploy.lost-worker-timeout": "1 h"})
    settings = {"threads_per_worker": 1, "dashboard_address": ":0"}
    with later, LocalCluster(n_workers=2, **settings) as cluster:
        yield cluster.scheduler_address


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """The parameters of twenty runs on this machine, without Dask."""
    folder = tmp_path_factory.mktemp("undisturbed")
    last(run_plan(plan(folder, base=BASE), processes(2)))
    return bits(folder)


@pytest.mark.parametrize("seed", range(4))
def test_a_killed_worker_loses_no_run(seed, address, undisturbed, tmp_path):
    rng = random.Random(seed)
    when, seen = rng.randrange(1, 16), []
    with Client(address) as client:
        client.wait_for_workers(2, timeout=PATIENCE)
        for results in run_plan(plan(tmp_path, base=BASE), cluster(address)):
            seen.append(len(results))
            if seen[-1] == when:
                time.sleep(rng.uniform(0, 0.5))
                os.kill(
                    rng.choice(list(client.run(os.getpid).values())), signal.SIGKILL
                )
    assert seen == list(range(21))  # each ends once
    assert not any("error" in result for result in results.values()), results
    assert bits(tmp_path) == undisturbed


@pytest.fixture
def planned(tmp_path, monkeypatch):
    """Write a plan of one run, and return its path; it must leave no runs."""
    monkeypatch.setattr(sweeps, "PATIENCE", 1.0)
    path = tmp_path / "plan.toml"
    path.write_text(TOML.format(folder=tmp_path / "runs"))
    yield str(path)
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    "where", ["tcp://127.0.0.1:{port}", "tcp://127.0.0.1:1", "x://y"]
)
def test_an_address_that_nobody_answers_is_told(where, planned, capsys):
    with socket.create_server(("127.0.0.1", 0)) as silent:  # listens, and never answers
        given = where.format(port=silent.getsockname()[1])
        assert main(["sweep", planned, "--dask", given]) == 2
    assert "dask must be the address of a scheduler" in capsys.readouterr().err


def test_a_scheduler_without_workers_is_told(planned, capsys):
    with LocalCluster(n_workers=0, dashboard_address=":0") as cluster:
        given = cluster.scheduler_address
        assert main(["sweep", planned, "--dask", given]) == 2
    assert f"dask worker {given} --nthreads 1" in capsys.readouterr().err
