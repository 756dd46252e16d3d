"""The arrow board's values, each found once more in another way."""

import pytest

from stbp_edu.arrows import (
    RULES,
    Node,
    Rule,
    count_paths,
    formulas,
    paths_from,
    words,
)
from stbp_edu.explorers.board_explorer import (
    NEURONS,
    Board,
    board_data,
)

T = 4


pytestmark = pytest.mark.slow  # every setting of the board is computed


@pytest.fixture(scope="module")
def board():
    return board_data()


def settings(net):
    """Every built-in rule with what is shown of it, and one of the reader's own."""
    yield from ((RULES[name], shown) for name, shown in net["rules"].items())
    moves = {arrow["kind"]: "go" for arrow in net["arrows"] if arrow["kind"] != "reset"}
    yield Rule("reset", {"go": moves}), net["own"]["reset"]


@pytest.mark.parametrize("recurrent", [False, True])
@pytest.mark.parametrize("neuron", NEURONS)
def test_every_setting_is_what_walking_the_paths_gives(board, neuron, recurrent):
    """Words and paths walked under the rule, adjoints their sums, losses the sizes left over."""
    net, run = (
        board["networks"][neuron + " recur" * recurrent],
        Board(neuron, recurrent),
    )
    every = words(run.net, T)
    starts = [Node(state["kind"], 1, 0, 0) for state in net["states"]]
    found = [paths_from(start, run.local) for start in starts]
    sizes = [{(p.word, p.nodes): abs(p.contribution) for p in paths} for paths in found]
    for rule, shown in settings(net):
        kept = len(words(run.net, T, rule))
        assert shown["words"] == [kept, len(every) - kept]
        for start, size, node in zip(starts, sizes, shown["nodes"], strict=True):
            value, ways, dropped, share = node
            paths = paths_from(start, run.local, rule)
            assert (ways, dropped) == count_paths(run.net, T, rule, start)
            total = sum(path.contribution for path in paths)
            assert value == pytest.approx(total, rel=1e-5, abs=1e-15)
            left = 1 - sum(size[p.word, p.nodes] for p in paths) / sum(size.values())
            assert share == pytest.approx(left, rel=1e-5, abs=1e-9)


def test_the_formulas_are_those_of_the_package(board):
    net, run = (
        board["networks"]["adaptive threshold recur"],
        Board("adaptive threshold", True),
    )
    shown = [board["lines"][k] for k in net["rules"]["e-prop"]["lines"]]
    expected = formulas(run.net, "e-prop")
    assert shown == [[f.where, f"{f.left} = {f.right}"] for f in expected]
