"""The error pulse: it takes every path, loses those that the rule drops, and says what it does."""

import base64
import json
import re
import xml.etree.ElementTree as ElementTree
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest

from stbp_edu.explorers import pulse
from stbp_edu.explorers.pencil_network import one_neuron, pencil, smooth
from stbp_edu.explorers.pulse_explorer import pulse_moves
from stbp_edu.plotting.svg_figure import IMAGE
from stbp_edu.verify.paths import Node, paths_from, unroll

pytestmark = pytest.mark.slow  # every path is walked


NETWORKS = {"one neuron": one_neuron, "pencil": pencil, "smooth": smooth}


def graph_of(net):
    return unroll(net.trace, net.targets, net.params, net.neuron)


def starts(net):
    """Return every spike and potential of a network."""
    graph = graph_of(net)
    return [
        Node(kind, n=n, t=t, i=i)
        for n in range(1, graph.net.N + 1)
        for t in range(graph.T)
        for i in range(graph.net.sizes[n])
        for kind in "ou"
    ]


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("rule", ["exact", "classic", "detached-reset", "spatial-only"])
def test_every_path_arrives_or_ends_at_a_cross(name, rule):
    """What arrives is the adjoint of the start; copies that meet leave as their sum."""
    net = NETWORKS[name]()
    graph, sweep = graph_of(net), net.sweep(rule)
    for start in starts(net):
        paths = paths_from(start, graph)
        steps = pulse_moves(paths, rule)
        home = [
            m for step in steps for m in step if m.edge.source == start and not m.ends
        ]
        lost = [p for step in steps for m in step if m.ends for p in m.paths]
        kept = Counter(p for p in paths if not p.dropped_by(rule))
        assert Counter(p for m in home for p in m.paths) == kept
        assert Counter(lost) == Counter(p for p in paths if p.dropped_by(rule))
        adjoint = (sweep.delta if start.kind == "o" else sweep.epsilon)[start.n]
        came = sum(m.value for m in home)
        assert np.isclose(came, adjoint[start.t, 0, start.i], rtol=1e-12, atol=1e-15)
        for before, after in pairwise(steps if rule == "exact" else []):
            for move in after:
                came = sum(m.value for m in before if m.edge.source == move.edge.target)
                assert move.before == pytest.approx(came, rel=1e-12, abs=1e-15)
                assert move.value == pytest.approx(
                    came * move.edge.factor, rel=1e-12, abs=1e-15
                )


def picture(shown):
    """Return the SVG of what a notebook shows."""
    (packed,) = IMAGE.findall(shown._repr_mimebundle_()["text/html"])
    return base64.b64decode(packed).decode()


@pytest.mark.parametrize("rule", ["exact", "classic"])
def test_in_jupyter_it_is_a_picture_with_words_and_the_values_to_play_it(rule):
    shown = pulse(rule=rule)
    svg = picture(shown)
    assert svg == picture(pulse(rule=rule))
    tree = ElementTree.fromstring(svg)
    html = shown._repr_mimebundle_()["text/html"]
    kept = re.search(r'data-explorer="pulse">(.*?)</script>', html)
    assert json.loads(kept[1]) == json.loads(json.dumps(shown.data))
    assert tree.attrib["aria-label"] in repr(shown)
    assert (rule == "classic") == ("lost" in tree.attrib["aria-label"])
    assert set(shown._repr_mimebundle_()) == {"text/html", "text/plain"}
