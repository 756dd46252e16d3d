"""Train networks.

- ``data``: data sets, where they come from, and how images become spikes.
- ``optim``: optimizers and the average of the weights.
- ``sparsity``: products without the dark pixels and the neurons that are left out.
- ``workers``: a pool of processes that share arrays.
- ``settings``: everything that decides a run, and the recipes.
- ``loop``: the steps, the evaluation and the diagnosis.
- ``runs``: a run in a folder, with its checkpoints and its record.
"""
