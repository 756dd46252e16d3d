"""What names a quantity, and arrays with one entry for each."""

import numpy as np
import pytest

from stbp_edu import Params
from stbp_edu.verify.coordinates import Coordinate, Node, at_every_coordinate, shape_of

PARAMS = Params(
    W=[None, np.zeros((3, 2), np.float32), np.zeros((1, 3), np.float32)],
    b=[None, np.zeros(3, np.float32), np.zeros(1, np.float32)],
)


def test_an_index_that_a_kind_does_not_have_is_minus_one():
    assert Node("L") == ("L", -1, -1, -1, -1)


@pytest.mark.parametrize(
    ("node", "coordinate"),
    [
        (Node("w", n=2, i=4, j=5), ("W", 2, (4, 5))),
        (Node("b", n=3, i=4), ("b", 3, (4,))),
        (Node("u", n=1, t=2, i=3), ("u", 1, (2, 7, 3))),
        (Node("o", n=1, t=2, i=3), ("o", 1, (2, 7, 3))),
    ],
)
def test_a_node_has_its_place_in_the_arrays_of_a_batch(node, coordinate):
    assert node.coordinate(s=7) == coordinate


def test_a_node_is_one_of_the_first_sample_where_none_is_said():
    assert Node("u", n=1, t=2, i=3).coordinate().at == (2, 0, 3)


def test_each_kind_of_a_layer_has_its_shape():
    shapes = [shape_of(kind, 1, PARAMS, T=4, S=5) for kind in ("W", "b", "u", "o")]
    assert shapes == [(3, 2), (3,), (4, 5, 3), (4, 5, 3)]


def test_every_entry_is_the_derivative_by_its_own_coordinate():
    asked = []

    def derivative(one):
        asked.append(one)
        return len(asked)

    found = at_every_coordinate(derivative, PARAMS, T=2, S=4)
    gradients = found.gradients
    kinds = {"o": found.delta, "u": found.epsilon, "W": gradients.W, "b": gradients.b}
    for count, (kind, n, at) in enumerate(asked, start=1):
        assert kinds[kind][n][at] == count
    sizes = {kind: [a.shape for a in layers[1:]] for kind, layers in kinds.items()}
    assert sizes == {
        "o": [(2, 4, 3), (2, 4, 1)],
        "u": [(2, 4, 3), (2, 4, 1)],
        "W": [(3, 2), (1, 3)],
        "b": [(3,), (1,)],
    }
    assert len(set(asked)) == len(asked) == 2 * 2 * 4 * 4 + 9 + 4
    assert isinstance(asked[0], Coordinate)
    for layers in kinds.values():
        assert layers[0] is None
        assert {a.dtype for a in layers[1:]} == {np.dtype(np.float32)}
