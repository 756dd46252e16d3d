"""Write the gradients of two batches, each shared among the processes; by torchrun, too.

``python -m tests.bridges.shared_batches FILE`` fails if threads of gloo outlive the group.
"""

import sys
from pathlib import Path

import numpy as np

from stbp_edu import init_params
from stbp_edu.parameters import named_arrays
from stbp_edu.torch.train import SharedNetwork, group
from stbp_edu.training import Settings


def main(path):
    rng = np.random.default_rng(0)
    params = init_params([64, 16, 10], rng, scale=2.0)
    arrays = {}
    with group("cpu") as processes:
        settings = Settings(hidden=(16,))
        net, rule = SharedNetwork(processes, params, settings), settings.make_rule()
        for count in (7, 1):
            spikes = (rng.random((5, count, 64)) < 0.4).astype(float)
            trace = net.forward(spikes, params)
            grads = net.backward(trace, rng.random((count, 10)), params, rule)
            rates = [o.mean() for o in trace.O]
            found = {**named_arrays(grads), "rates": rates}
            arrays |= {f"{name} of {count}": array for name, array in found.items()}
        if processes.rank == 0:
            np.savez(path, **arrays)
    names = [p.read_text() for p in Path("/proc/self/task").glob("*/comm")]  # on Linux
    if left := [name for name in names if "gloo" in name]:
        sys.exit(f"still there after the group: {left}")


if __name__ == "__main__":
    main(sys.argv[1])
