"""``stbp-edu train --export nir``: the trained network as a graph that other programs read."""

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from stbp_edu.parameter_files import load_params
from stbp_edu.training import runs

FILE = "network.nir"
"""The graph, beside the parameters."""


def check_before_training(configs: Sequence[runs.RunConfig]) -> None:
    """Raise ImportError or ValueError if the networks of these runs cannot be exported."""
    for config in configs:
        settings = config.settings
        if settings.has_images:
            raise ValueError(
                f"hidden must be fully connected layers for --export nir, got {settings.hidden}; "
                "leave --export out, or choose widths"
            )
        import_module("stbp_edu.nir").check_exportable(settings.make_neurons())


def write_graph(config: runs.RunConfig) -> Path:
    """Write the network of a finished run, and return the file."""
    params = load_params(config.folder / runs.PARAMS)
    graph = import_module("stbp_edu.nir").to_graph(
        params, config.settings.make_neurons()
    )
    import_module("nir").write(config.folder / FILE, graph)
    return config.folder / FILE
