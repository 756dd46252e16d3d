"""Part II: one term for each arrow, and every learning rule as a language of paths.

A network is a table: the states of its neurons, the arrows between them, and a loss. From it follow
the forward run, the backward sweep, the paths, and the formulas.

- ``arrow``: a neuron and its arrows, from its forward lines; ``part_one``: the neurons of Part I;
- ``table``: the layers of a network with the weights between them, and its loss;
- ``forward_run``, ``adjoints``: forward and backward, for every network and rule;
- ``rules``: which words of arrows a rule keeps, and what a limit on gains holds;
- ``unrolled``: which paths there are, how many, and their products;
- ``letters``: polynomials in place of numbers; ``formula_text``: the formulas of a rule;
- ``online_form``: formulas forward in time, where the words allow it;
- ``step_functions``, ``layer_program``: one step of a layer as a program, as it is shown and run;
- ``classifier``, ``asked_network``: which words a gradient function or a network keeps.
"""

from stbp_edu._support.links import AveragePool, Flatten, Link, Patches
from stbp_edu.arrows import part_one
from stbp_edu.arrows.adjoints import (
    Backward,
    LocalDerivatives,
    backward,
    lambdas,
    local_derivatives,
)
from stbp_edu.arrows.arrow import Arrow, Neuron
from stbp_edu.arrows.classifier import Verdict, classify
from stbp_edu.arrows.formula_text import Formula, formulas
from stbp_edu.arrows.forward_run import forward
from stbp_edu.arrows.letters import Polynomial, letters
from stbp_edu.arrows.online_form import forbidding_word
from stbp_edu.arrows.part_one import (
    hard_reset,
    soft_reset,
    with_adaptation,
    with_current,
)
from stbp_edu.arrows.rules import RULES, Rule, in_blocks, truncated, with_gain_limit
from stbp_edu.arrows.table import Layer, Loss, Table, draw_params
from stbp_edu.arrows.table import (
    network as network,  # stbp_edu.network is the public one
)
from stbp_edu.arrows.unrolled import (
    Edge,
    Node,
    Path,
    count_paths,
    edges_from,
    paths_from,
    words,
)

__all__ = [
    "RULES",
    "Arrow",
    "AveragePool",
    "Backward",
    "Edge",
    "Flatten",
    "Formula",
    "Layer",
    "Link",
    "LocalDerivatives",
    "Loss",
    "Neuron",
    "Node",
    "Patches",
    "Path",
    "Polynomial",
    "Rule",
    "Table",
    "Verdict",
    "backward",
    "classify",
    "count_paths",
    "draw_params",
    "edges_from",
    "forbidding_word",
    "formulas",
    "forward",
    "hard_reset",
    "in_blocks",
    "lambdas",
    "letters",
    "local_derivatives",
    "part_one",
    "paths_from",
    "soft_reset",
    "truncated",
    "with_adaptation",
    "with_current",
    "with_gain_limit",
    "words",
]  # fmt: skip
