"""Train networks.

- ``data``: data sets, where they come from, and how images become spikes.
- ``workers``: a pool of processes that share arrays.
- ``sparsity``: the pixels, neurons and samples that matter to a step.
- ``optim``: optimizers, and the running average of the weights.
- ``settings``: everything that decides a run, and the recipes.
- ``trainer``: the loop over epochs and steps, as a generator of events.
- ``training_job``: the parts of a step, which the workers do.
- ``state``: the state of a run, and its streams of random numbers.
- ``evaluation``: how well a network answers, in training and on images held out.
- ``diagnosis``: advice on a network that does not learn.
- ``runs``: a run in a folder, with its checkpoints and its record.
- ``sweep_plan``: many runs in one file, seeds × settings.
- ``sweeps``: the runs of a plan, trained by several processes or machines.
"""

from stbp_edu.training.data.datasets import Dataset, load_digits, split, validation
from stbp_edu.training.data.encoders import bernoulli, direct, encode
from stbp_edu.training.diagnosis import Advice, diagnose_layers
from stbp_edu.training.evaluation import Evaluation, evaluate
from stbp_edu.training.settings import RECIPES, Settings, from_dict, to_dict
from stbp_edu.training.state import State, initial_state
from stbp_edu.training.trainer import Epoch, Event, Step, train

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
