"""A bare install brings only NumPy, and Part I runs with it."""

import subprocess
import sys
import venv

import pytest

from tools.site.assets.pyodide import built

pytestmark = pytest.mark.slow  # it builds the wheel and fetches NumPy

PART_ONE = """
import numpy as np
import stbp_edu
from stbp_edu.practice import check, progress_report

rng = np.random.default_rng(0)
neuron = stbp_edu.LIF(tau=0.1, v_th=1.5, surrogate=stbp_edu.Gaussian(a=1.0))
params = stbp_edu.init_params([5, 4, 3], rng)
spikes = (rng.random((6, 2, 5)) < 0.5).astype(float)
targets = np.eye(3)[[0, 2]]
trace = stbp_edu.forward(spikes, params, neuron)
grads = stbp_edu.backward(trace, targets, params, neuron, rule="exact")
sweep = stbp_edu.cases.sweep(trace, targets, params, neuron, rule="exact")
for n in (1, 2):
    np.testing.assert_allclose(grads.W[n], sweep.gradients.W[n], rtol=1e-12, atol=1e-15)
assert np.abs(grads.W[1]).max() > 0

def case_at(t, n, T, N):
    if t == T - 1:
        return 1 if n == N else 2
    return 3 if n == N else 4

print(check("case-at", case_at))
assert progress_report().states == {"case-at": "right"}
"""


TYPED = """
import numpy as np
from numpy.typing import NDArray
import stbp_edu
from stbp_edu import losses
from stbp_edu.testing import assert_gradient, load_vectors
from stbp_edu.torch import LIFNetwork
from stbp_edu.training import Settings

class Labels:
    def value(self, trace: stbp_edu.Trace, targets: NDArray[np.int64]) -> float:
        return float(trace.O[-1].mean() - targets.mean())

    def direct(self, trace: stbp_edu.Trace, targets: NDArray[np.int64]) -> losses.Direct:
        return losses.Direct(np.zeros_like(trace.O[-1]))

rng = np.random.default_rng(0)
mine = stbp_edu.derive("u = tau * u * (1 - o) + x; o = spike(u - 1)", tau=0.9)
net = stbp_edu.network("4-3-2", mine)
Settings(neuron=mine, readout=stbp_edu.derive("u = 0.9 * u + x"))
params = net.init(rng)
spikes: NDArray[np.bool_] = rng.random((5, 2, 4)) < 0.5
labels: NDArray[np.int64] = rng.integers(0, 2, 2)
trace = net.forward(spikes, params)
net.value(trace, labels, Labels())
grads = net.backward(trace, labels, params, "e-prop", Labels())
net.backward(trace, np.eye(2)[labels], params, loss="membrane")
net.forward([[[0.0, 1.0, 0.0, 1.0]]], params)
neuron = stbp_edu.LIF(tau=0.5, gate="linear")
own = stbp_edu.Params(W=[None, np.ones((2, 4))], b=[None, np.zeros(2)])
run = stbp_edu.forward(spikes, own, neuron)
stbp_edu.backward(run, labels, own, neuron, loss=Labels())
stbp_edu.loss(run, labels, Labels())
reveal_type(net)
reveal_type(mine)
reveal_type(stbp_edu.load_params("params.npz"))
for arrays in (trace.O, trace.U, trace["u"], grads.W, params.W, params.b):
    reveal_type(arrays[1])
for case in load_vectors("vectors.npz"):
    reveal_type(case["grad_W1"])
stbp_edu.save_params(3)  # wrong
stbp_edu.LIF(tau="0.5")  # wrong
net.forward(params, True)  # wrong
grads.W[1].shapes  # wrong
assert_gradient(3, neuron)  # wrong
case["grad"]  # wrong
LIFNetwork.from_params(own, neuron)(spikes, None)[2]  # wrong: output and state
"""


def run(*command, **options):
    return subprocess.run(
        [*map(str, command)], capture_output=True, text=True, **options
    )


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    """The programs of an environment in which the wheel is installed, and nothing else."""
    place = tmp_path_factory.mktemp("bare")
    venv.create(place, with_pip=True)
    programs = place / ("Scripts" if sys.platform == "win32" else "bin")
    done = run(programs / "python", "-m", "pip", "install", "-q", built("wheel"))
    assert done.returncode == 0, done.stderr
    return programs


def test_it_brings_only_numpy(bare):
    listed = run(bare / "python", "-m", "pip", "list", "--format=freeze").stdout
    names = {line.partition("==")[0] for line in listed.splitlines()}
    assert names - {"pip", "setuptools"} == {"numpy", "stbp-edu"}


def test_part_one_runs(bare, tmp_path, monkeypatch):
    monkeypatch.setenv("STBP_EDU_PROGRESS", str(tmp_path / "progress.json"))
    done = run(bare / "python", "-W", "error", "-c", PART_ONE, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "case-at: right." in done.stdout


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["train", "digits"], "needs tqdm; run: pip install tqdm"),
        (["verify"], "needs tqdm; run: pip install tqdm"),
        (["assign", "--list"], "needs jinja2; run: pip install jinja2"),
    ],
)
def test_a_command_that_needs_more_names_the_library_in_a_line(
    argv, said, bare, tmp_path
):
    done = run(bare / "stbp-edu", *argv, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr == f"stbp-edu {argv[0]}: the command {said}\n"


def test_a_users_type_checker_finds_the_types_of_the_wheel(bare, tmp_path):
    (tmp_path / "user.py").write_text(TYPED)
    command = [
        sys.executable,
        "-m",
        "mypy",
        "--strict",
        "--cache-dir",
        tmp_path / "cache",
    ]
    options = ["--python-executable", bare / "python"]
    done = run(*command, *options, "user.py", cwd=tmp_path)
    lines = done.stdout.splitlines()
    told = [
        line.partition("Revealed type is ")[2] for line in lines if "note: R" in line
    ]
    assert len(told) == 5, done.stdout + done.stderr
    assert all("stbp_edu." in text for text in told[:3]), told
    assert all('"numpy.ndarray[' in text for text in told[3:]), told
    wrong = {n for n, line in enumerate(TYPED.split("\n"), 1) if "# wrong" in line}
    named = {int(line.split(":")[1]) for line in lines if " error: " in line}
    assert named == wrong, done.stdout
