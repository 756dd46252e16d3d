"""Train networks: settings, data, the loop over steps, and runs that survive an interruption.

- ``settings``: everything that decides a run; ``own``: your own neuron in it.
- ``encoders``: grey images become spikes.
- ``data``: data sets, where they come from, and the recipe of each.
- ``model``: the network of a run: its parameters and its passes.
- ``evaluation``: how well a network answers, and advice where it does not learn.
- ``optimiser``: the state of a run, and one update: Adam, or SGD with momentum.
- ``trainer``: the loop over epochs and steps, and what a step does.
- ``runs``: a run in a folder, with its checkpoints and its record.
- ``measurements``: the published records of measurements, and intervals.
- ``sweeps``: plans of many runs, seeds × settings, trained by several processes or machines.
"""

from stbp_edu.training.data import RECIPES, Dataset, load_digits, split, validation
from stbp_edu.training.encoders import bernoulli, direct, encode
from stbp_edu.training.evaluation import (
    Advice,
    Evaluation,
    Step,
    diagnose_layers,
    evaluate,
)
from stbp_edu.training.optimiser import State
from stbp_edu.training.settings import Settings, from_dict, to_dict
from stbp_edu.training.trainer import Epoch, Event, initial_state, train

__all__ = [
    "RECIPES",
    "Advice",
    "Dataset",
    "Epoch",
    "Evaluation",
    "Event",
    "Settings",
    "State",
    "Step",
    "bernoulli",
    "diagnose_layers",
    "direct",
    "encode",
    "evaluate",
    "from_dict",
    "initial_state",
    "load_digits",
    "split",
    "to_dict",
    "train",
    "validation",
]
