"""The published record of MNIST in PyTorch is of the script that makes it."""

from dataclasses import replace

from benchmarks import accuracy, pytorch_mnist
from stbp_edu.files import read_json
from stbp_edu.torch import train
from stbp_edu.training.runs import measurements_folder
from stbp_edu.training.settings import from_dict


def test_both_rows_are_of_the_settings_that_the_script_trains_with():
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
