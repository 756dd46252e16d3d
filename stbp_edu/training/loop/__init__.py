"""The training loop.

- ``trainer``: the loop over epochs and steps, as a generator of events.
- ``training_job``: the parts of a step, which the workers do.
- ``batch_statistics``: loss, accuracy and firing rates of the images that the steps saw.
- ``state``: the state of a run, and its streams of random numbers.
- ``evaluation``: the accuracy of a network.
- ``diagnosis``: advice on a network that does not learn.
"""

from stbp_edu.training.loop.diagnosis import Advice, diagnose_layers
from stbp_edu.training.loop.evaluation import Evaluation, evaluate, plus_minus
from stbp_edu.training.loop.state import EPOCH, TEST, State, initial_state, stream
from stbp_edu.training.loop.trainer import Epoch, Event, Step, train, train_epoch
from stbp_edu.training.loop.training_job import TrainingJob

__all__ = [
    "EPOCH",
    "TEST",
    "Advice",
    "Epoch",
    "Evaluation",
    "Event",
    "State",
    "Step",
    "TrainingJob",
    "diagnose_layers",
    "evaluate",
    "initial_state",
    "plus_minus",
    "stream",
    "train",
    "train_epoch",
]
