"""The arrow board's values, each found once more in another way."""

import numpy as np
import pytest

from stbp_edu.arrows import (
    RULES,
    Node,
    Rule,
    backward,
    count_paths,
    formulas,
    paths_from,
    words,
)
from stbp_edu.arrows.formula_text import mathml
from stbp_edu.explorers.board_explorer import (
    LINEAR,
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
    """Every built-in rule with what is shown of it, and every seventh rule of the reader's own."""
    yield from ((RULES[name], shown) for name, shown in net["rules"].items())
    for refused in list(net["own"])[::7]:
        moves = {
            a["kind"]: "go" for a in net["arrows"] if a["kind"] not in refused.split()
        }
        yield Rule(refused, {"go": moves}), net["own"][refused]


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
        kept = set(words(run.net, T, rule))
        assert shown["words"] == [len(kept), len(every) - len(kept)]
        lost = [" ".join(("enter", *word)) for word in every if word not in kept]
        assert shown["shortest"] == (lost[0] if lost else "")
        for start, size, node in zip(starts, sizes, shown["nodes"], strict=True):
            value, ways, dropped, share = node
            paths = paths_from(start, run.local, rule)
            assert (ways, dropped) == count_paths(run.net, T, rule, start)
            assert ways == len(paths)
            assert value == pytest.approx(
                sum(p.contribution for p in paths), rel=1e-5, abs=1e-15
            )
            left = 1 - sum(size[p.word, p.nodes] for p in paths) / sum(size.values())
            assert share == pytest.approx(left, rel=1e-5, abs=1e-9)


def test_a_step_is_held_where_its_gain_is_above_the_limit(board):
    """The gain of the first neuron at each step but the last, with its carry and its reset."""
    trace, most = Board("hard reset, linear gate", False).run[2], board["limit"]
    u, o = trace["u"][1][:-1, 0, 0], trace["o"][1][:-1, 0, 0]
    gain = LINEAR.f(o) + u * LINEAR.df(o) * LINEAR.h(u)
    shown = board["networks"]["hard reset, linear gate"]["rules"]["exact"]["held"]
    assert shown == [t + 1 for t in range(T - 1) if abs(gain[t]) > most] != []


def test_how_far_a_gradient_is_off_and_every_number_says_something(board):
    """Every network has an adjoint that is not 0, and every rule but exact is off by what shows."""
    run = Board("soft reset", recurrent=True).run
    exact, classic = (
        np.concatenate([layer[k].ravel() for layer in found[1:] for k in "WbR"])
        for found in (backward(*run, rule).gradients for rule in ("exact", "classic"))
    )
    shown = board["networks"]["soft reset recur"]["rules"]
    assert shown["exact"]["off"] == 0
    off = np.linalg.norm(classic - exact) / np.linalg.norm(exact)
    assert shown["classic"]["off"] == pytest.approx(off, rel=1e-5)
    assert off > 0.1
    for name, net in board["networks"].items():
        assert all(value != 0 for value, *_ in net["rules"]["exact"]["nodes"]), name
        for rule in set(RULES) - {"exact"}:
            assert net["rules"][rule]["off"] > 0.001, (name, rule)


def test_an_own_rule_that_refuses_what_a_built_in_one_refuses_is_that_rule(board):
    for net in board["networks"].values():
        assert net["own"][""] == net["rules"]["exact"]
        assert net["own"]["reset"] == net["rules"]["detached-reset"]
        through_time = [a["kind"] for a in net["arrows"] if a["step"]]
        assert net["own"][" ".join(through_time)] == net["rules"]["spatial-only"]
    needed = {name: set(net["needed"]) for name, net in board["networks"].items()}
    assert needed["soft reset"] == {"spike", "readout"}
    assert needed["synaptic current recur"] == {"spike", "readout", "charge"}


def test_the_formulas_are_those_of_the_package_in_mathml(board):
    net, run = (
        board["networks"]["adaptive threshold recur"],
        Board("adaptive threshold", True),
    )
    shown = [board["lines"][k] for k in net["rules"]["e-prop"]["lines"]]
    expected = formulas(run.net, "e-prop")
    assert shown == [[f.where, mathml(f"{f.left} = {f.right}")] for f in expected]
    with pytest.raises(ValueError, match=r"\\omicron is not known here"):
        mathml(r"2 \omicron")
