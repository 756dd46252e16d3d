"""Take the steps of one epoch and save the parameters after each; run by the test, by torchrun too.

``python -m tests.bridges.ten_steps FOLDER``: the last batch has one image, so that two processes
have an unequal share of it, and one of them none. It fails if threads of gloo outlive the group.
"""

import sys
from functools import partial
from pathlib import Path

import numpy as np

from stbp_edu import Params
from stbp_edu.parameter_files import save_params
from stbp_edu.torch.train import TensorPasses, group
from stbp_edu.training import Dataset, Settings, initial_state, load_digits
from stbp_edu.training.optimiser import start
from stbp_edu.training.trainer import TrainingJob, train_epoch

SETTINGS = Settings(hidden=(16,), T=5, batch=7, lr=1e-2, epochs=1, averaging=0.0)
IMAGES = 9 * SETTINGS.batch + 1


def double_job(settings, data, passes):
    """Return the job of a run in double precision."""
    drawn = initial_state(settings, data).params
    W, b = ([None, *(a.astype(float) for a in of[1:])] for of in (drawn.W, drawn.b))
    return TrainingJob(settings, data, start(Params(W, b)), passes)


def main(folder):
    digits = load_digits()
    few = Dataset(
        digits.train_images[:IMAGES], digits.train_labels[:IMAGES],
        digits.test_images, digits.test_labels,
    )  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    with group("cpu") as processes:
        job, losses = double_job(SETTINGS, few, partial(TensorPasses, processes)), []
        for step, batch in enumerate(train_epoch(job, 0)):
            losses.append(batch.loss)
            if processes.rank == 0:
                save_params(folder / f"{step}.npz", job.state.params)
        if processes.rank == 0:
            np.save(folder / "losses.npy", losses)
    names = [
        path.read_text() for path in Path("/proc/self/task").glob("*/comm")
    ]  # on Linux
    if left := [name for name in names if "gloo" in name]:
        sys.exit(f"still there after the group: {left}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
