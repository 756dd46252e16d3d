"""The published records, asked anew: of the script that makes them, and of what the page names."""

import json
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch

from benchmarks import accuracy, convolution_speed, pytorch_mnist
from benchmarks.frameworks import candidate_process, classify, problem
from benchmarks.frameworks.candidate import BY_NAME
from stbp_edu._support.files import read_json
from stbp_edu.torch import train
from stbp_edu.training.data import Dataset
from stbp_edu.training.measurements import measurements_folder
from stbp_edu.training.saved_settings import from_dict

ROWS = {
    row["name"]: row for row in json.loads(classify.RECORD.read_text("utf-8"))["rows"]
}


@pytest.mark.parametrize("tried", classify.TRIED, ids=lambda tried: tried.name)
@pytest.mark.filterwarnings("ignore")  # theirs
def test_a_framework_keeps_what_the_record_says(tried):
    found, row = classify.found(tried), ROWS[tried.name]
    assert (found["rules"], found["dropped"]) == (row["rules"], row["dropped"])


def test_both_rows_of_mnist_are_of_the_settings_that_the_script_trains_with():
    found = read_json(measurements_folder() / "pytorch-mnist.json")
    settings = train.chosen_settings(train.arguments(pytorch_mnist.WORDS))
    seeds = list(pytorch_mnist.PLAN.seeds)
    assert [row["name"] for row in found["rows"]] == ["PyTorch", "NumPy"]
    for row in found["rows"]:
        runs = [from_dict(run["settings"]) for run in row["runs"]]
        assert runs == [replace(settings, seed=seed) for seed in seeds]
        assert accuracy.summary(row["runs"])["accuracy"] == row["accuracy"]
    one, other = (row["runs"][0]["params"] for row in found["rows"])
    assert one != other  # neither is a copy of the other


@pytest.mark.filterwarnings("ignore")  # theirs
def test_every_convolution_that_is_timed_has_our_gradients(monkeypatch):
    rng = np.random.default_rng(0)
    images, labels = rng.random((10, 28, 28)), np.arange(10)
    data = Dataset(images, labels, images, labels)
    monkeypatch.setattr(convolution_speed, "load_dataset", lambda _: data)
    monkeypatch.setattr(convolution_speed, "S", 4)
    found = convolution_speed.gaps(convolution_speed.draw(np.float64))
    assert max(found.values()) < 1e-6


needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
ON_PYTORCH = [name for name, entry in BY_NAME.items() if entry.takes_part("cuda")]
QUICK_HERE = [name for name in ON_PYTORCH if not BY_NAME[name].options]
"""Those that are not the same once more, compiled."""


@pytest.mark.parametrize(
    ("name", "device"),
    [
        *((name, "cpu") for name in [*QUICK_HERE, "torch-bridge-compile"]),
        *(pytest.param(name, "cuda", marks=needs_gpu) for name in ON_PYTORCH),
    ],
)
@pytest.mark.filterwarnings("ignore")  # theirs
def test_a_candidate_has_our_gradients_on_the_device(name, device, monkeypatch):
    """On the processor the compiler makes graphs, which takes less time than C++."""

    def unreachable(name):
        raise FileNotFoundError(name)

    monkeypatch.setattr(problem, "load_dataset", unreachable)
    if device == "cpu":
        graphs = partial(torch.compile, backend="aot_eager")
        monkeypatch.setattr(torch, "compile", graphs)
    drawn, _ = problem.draw(problem.Size(T=4, batch=5, width=6))
    given = replace(drawn.cast(np.float64), device=device)
    entry = BY_NAME[name]
    candidate = entry.make(given)
    found = candidate.gradients()
    wanted = candidate_process.reference(given, entry.rule)
    assert candidate_process.distance(found, wanted) < 1e-5
    before = candidate.gradients()
    candidate.step()
    assert any(
        (a != b).any() for a, b in zip(before, candidate.gradients(), strict=True)
    )
