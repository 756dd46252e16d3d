"""The published records, asked anew: of the script that makes them, and of what the page names."""

import json
from dataclasses import replace

import numpy as np
import pytest

from benchmarks import accuracy, convolution_speed, pytorch_mnist
from benchmarks.frameworks import classify
from stbp_edu._support.files import read_json
from stbp_edu.torch import train
from stbp_edu.training.data import Dataset
from stbp_edu.training.measurements import measurements_folder
from stbp_edu.training.settings import from_dict

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
