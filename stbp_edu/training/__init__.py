"""Train networks.

- ``data``: data sets, where they come from, and how images become spikes.
- ``workers``: a pool of processes that share arrays.
- ``sparsity``: the pixels, neurons and samples that matter to a step.
- ``optim``: optimizers, and the running average of the weights.
- ``settings``: everything that decides a run, and the recipes.
- ``loop``: epochs and steps, the evaluation, and advice on networks that do not learn.
- ``runs``: a run in a folder, with its checkpoints and its record.
"""

from stbp_edu.training.data.datasets import Dataset, load_digits, split, validation
from stbp_edu.training.data.encoders import bernoulli, direct, encode
from stbp_edu.training.loop import (
    Advice,
    Epoch,
    Evaluation,
    Event,
    State,
    Step,
    diagnose_layers,
    evaluate,
    initial_state,
    train,
)
from stbp_edu.training.settings import RECIPES, Settings, from_dict, to_dict

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
