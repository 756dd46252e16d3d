"""``stbp-edu train --export nir``: refused before training, or written after it."""

import nir
import numpy as np
import pytest

from stbp_edu.cli.main import main
from stbp_edu.nir import from_graph
from stbp_edu.parameter_files import load_params
from stbp_edu.parameters import by_layer

SHORT = (
    "train digits --rule exact --epochs 1 --hidden 6 --T 2 --encodings 1 --export nir"
)


def test_what_cannot_be_exported_is_said_before_training(tmp_path, capsys):
    """The default recipe has the exponential gate."""
    for options, said in (
        ("", "neuron must be one that NIR has"),
        (
            "--hidden 4C3 --gate linear",
            "hidden must be fully connected layers for --export nir",
        ),
    ):
        given = [*SHORT.split(), *options.split(), "--out", str(tmp_path / "runs")]
        assert main(given) == 2
        assert said in capsys.readouterr().err
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    "options",
    [
        "--gate linear",
        "--hidden 6R --loss membrane --readout u=tau*u+x --neuron "
        "i=0.5*i+x;u=tau*u*(1-o)+i;o=spike(u-v_th) --learn_each tau",
    ],
)
def test_the_trained_network_is_written_beside_its_parameters(tmp_path, options):
    given = options.replace("_each", "-each").split()
    assert main([*SHORT.split(), *given, "--out", str(tmp_path)]) == 0
    found, _ = from_graph(nir.read(tmp_path / "exact" / "network.nir"))
    params = load_params(tmp_path / "exact" / "params.npz")
    assert found.sizes == params.sizes
    for one, other in zip(by_layer(found)[1:], by_layer(params)[1:], strict=True):
        np.testing.assert_allclose(one["W"], other["W"], rtol=1e-5)
