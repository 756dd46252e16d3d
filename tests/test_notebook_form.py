"""Every notebook keeps the form of the course, and every rule of the form can fail."""

import copy
import re
from functools import cache

import nbformat
import pytest

from stbp_edu.equations import EQUATIONS
from tests.notebook_rules import RULES
from tools.notebooks import FOLDED, OUTPUT_FOLDED, NotebookError, execute, normalise
from tools.notebooks.numbering import files

GOOD = r"""
# %% [markdown]
# # 7 · An example
#
# **Goal.** Show the form.
#
# **You need.** [The notation](../docs/notation.md).
#
# **Time.** 15 minutes.
#
# Here are three steps and two layers.

# %%
import numpy as np
from stbp_edu import plotting
rng = np.random.default_rng(7)

# %% hide-input
fig, ax = plotting.figure()
plotting.grid(ax, 3, 2, highlight={3})
plotting.show(fig, alt="A grid of three steps and two layers.")

# %% [markdown]
# $$
# FORM
# \tag{c1-epsilon}
# $$

# %%
print(round(1 / 3, 4))  # c1-epsilon

# %% [markdown]
# ## Exercises
#
# ## Recap
#
# | equation | function | `pytest -k` |
# |---|---|---|
# | `c1-epsilon` | `stbp_edu.cases.vector.c1_epsilon` | `rule_can_fail` |
""".replace("FORM", EQUATIONS["c1-epsilon"].forms["index"])


def from_percent(text):
    """Return the notebook that a script describes: ``# %%`` starts code, ``[markdown]`` text.

    Another word behind ``# %%`` is a tag.
    """
    cells = []
    for part in re.split(r"^# %%", text, flags=re.M)[1:]:
        head, _, body = part.partition("\n")
        body = body.strip("\n")
        if "[markdown]" in head:
            cells.append(nbformat.v4.new_markdown_cell(re.sub(r"^# ?", "", body, flags=re.M)))
        else:
            cells.append(nbformat.v4.new_code_cell(body, metadata={"tags": head.split()}))
    return nbformat.v4.new_notebook(cells=cells)


def findings(notebook, *rules):
    return [text for rule in rules or RULES for text in RULES[rule](notebook)]


@cache
def read(path):
    """Return a notebook of the course; no rule may change it."""
    return nbformat.read(path, as_version=4)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("slug", files())
def test_notebook_keeps_the_form(slug, rule):
    assert findings(read(files()[slug]), rule) == []


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    return execute(from_percent(GOOD), "good", tmp_path_factory.mktemp("notebooks"))


def test_a_good_notebook_passes(good):
    assert findings(good) == []


@pytest.mark.slow
def test_executing_twice_gives_the_same_notebook(good, tmp_path):
    assert execute(from_percent(GOOD), "good", tmp_path) == good


BREAKS = [
    ("executed_in_order", lambda nb: nb.cells[2].update(execution_count=9)),
    ("opening", lambda nb: edit(nb, 0, "Show the form.", "Show it. Twice.")),
    ("one_generator", lambda nb: edit(nb, 1, "default_rng(7)", "default_rng()")),
    ("grid_early", lambda nb: edit(nb, 2, "plotting.grid(", "plotting.other(")),
    ("picture_first", lambda nb: edit(nb, 1, "rng =", "import a\nimport b\nrng =")),
    ("picture_first", lambda nb: edit(nb, 0, "Here are three steps and two layers.", "")),
    ("folded_code", lambda nb: nb.cells[2].metadata.clear()),
    ("folded_code", lambda nb: edit(nb, 4, "print(", "print(ax, ")),
    ("surprises", lambda nb: nb.cells[4].metadata.update(tags=[OUTPUT_FOLDED])),
    ("outputs", lambda nb: nb.cells[2].outputs[0].data.update({"image/svg+xml": "<svg></svg>"})),
    ("code_form", lambda nb: edit(nb, 4, "print", "%time print")),
    ("code_form", lambda nb: edit(nb, 4, "print", "np.random.seed(1)\nprint")),
    ("equations", lambda nb: edit(nb, 3, "h(u", "g(u")),
    ("equations", lambda nb: edit(nb, 3, "c1-epsilon", "c9-epsilon")),
    ("equations", lambda nb: edit(nb, 0, "Here", "`c1-epsilon`:\n\n$$\nE = 0\n$$")),
    ("equations", lambda nb: edit(nb, 4, "# c1-epsilon", "# c1-epsilom")),
    ("closing", lambda nb: edit(nb, 5, "rule_can_fail", "no_such_test")),
    ("links", lambda nb: edit(nb, 0, "notation.md", "notations.md")),
    ("words", lambda nb: edit(nb, 0, "Show the form", "Obviously the form")),
]


def edit(notebook, cell, old, new):
    assert old in notebook.cells[cell].source
    notebook.cells[cell].source = notebook.cells[cell].source.replace(old, new)


@pytest.mark.parametrize(("rule", "mend"), BREAKS, ids=lambda value: str(value)[:20])
def test_rule_can_fail(good, rule, mend):
    notebook = copy.deepcopy(good)
    mend(notebook)
    assert findings(notebook, rule)


def test_every_rule_is_seen_to_fail():
    assert {rule for rule, _ in BREAKS} == set(RULES)


DRAW = "fig, ax = plotting.figure()\nax.plot([x])\nplotting.show(fig, alt='A line.')"
PANELS = "for a in axes:\n    axes[a].plot(a)\n    axes[a].set_title(a)\nfig.show()\n"


@pytest.mark.parametrize(
    ("cells", "sound"),
    [
        (f"# %%\n{DRAW}", False),
        (f"# %% hide-input\n{DRAW}", True),
        ("# %%\nplotting.sweep_steps(5, 3)", True),  # as short as the line that would hide it
        (f"# %%\nx = 1\n{DRAW}\n# %%\nprint(x)", True),
        (f"# %%\nx = 1\n{DRAW}\n# %%\nx = 2\nprint(x)", False),
        (f"# %%\nx = 1\n{DRAW}\n# %%\n[x for x in y]", False),
        (f"# %%\nx = 1\n{DRAW}\n# %%\ndef f():\n    return x", True),
        (f"# %% hide-input\nx = 1\n{DRAW}\n# %%\nprint(x)", False),
        (f"# %% hide-input\nimport x\n{DRAW}\n# %%\nprint(x)", True),
        (f"# %% hide-input\nx = 1  # c1-delta\n{DRAW}", False),
        ('# %% hide-input\ncheck("c1-delta", f)', False),
        (f"# %%\nx = 1\nfig, axes = plotting.figure(2, 1)\n{PANELS}# %%\nx", True),
        (f"# %%\nx = 1\nfig, axes = plotting.figure(2, 1)\n{PANELS}fig.a()\n# %%\nx", False),
    ],
)
def test_what_is_folded(cells, sound):
    assert (findings(from_percent(cells), "folded_code") == []) == sound


ASK, HOLD = 'predict("c3-holds", "...")', 'predict("c3-holds", "...", measured="t = 2")'


@pytest.mark.parametrize(
    ("cells", "sound"),
    [
        (f"# %%\n{ASK}\n# %%\nx = 1\n# %% hide-output\n1\n# %% hide-output\n{HOLD}", True),
        (f"# %%\n{ASK}\n# %% [markdown]\n# Look.\n# %%\n1\n# %% hide-output\n{HOLD}", False),
        (f"# %% hide-output\n{ASK}\n# %% hide-output\n{HOLD}", False),
        (f"# %%\n{ASK}\n# %% hide-output\nx = 1\n# %% hide-output\n{HOLD}", False),
        (f"# %%\n{ASK}\n# %% hide-output\n{HOLD}\n# %% hide-output\n1", False),
        (f"# %%\n{ASK}", False),
    ],
)
def test_where_an_output_is_folded(cells, sound):
    notebook = from_percent(cells)
    for cell in notebook.cells:
        if cell.cell_type == "code" and cell.source != "x = 1":
            cell.outputs = [nbformat.v4.new_output("stream", text="1")]
    assert (findings(notebook, "surprises") == []) == sound


@pytest.mark.slow
@pytest.mark.parametrize(
    ("code", "message"),
    [("1 / 0", "ZeroDivisionError"), ("import warnings; warnings.warn('no')", "error stream")],
)
def test_a_failure_or_a_warning_stops_the_build(tmp_path, code, message):
    with pytest.raises(NotebookError, match=message):
        execute(from_percent(f"# %%\n{code}"), "bad", tmp_path)


def test_normalising_keeps_tags_and_folds_in_jupyterlab_and_drops_what_is_random():
    notebook = from_percent("# %%\n1\n# %%\n2\n# %% [markdown]\n# 3")
    widget = {"application/vnd.jupyter.widget-view+json": {"model_id": "x"}, "text/plain": "w"}
    tags = {"tags": ["long", FOLDED, OUTPUT_FOLDED]}
    cell, seen, text = notebook.cells
    cell.metadata = nbformat.from_dict(tags | {"execution": {"iopub": "now"}})
    seen.metadata = nbformat.from_dict({"jupyter": {"source_hidden": True}})
    text.metadata = nbformat.from_dict({"tags": [FOLDED]})
    cell.outputs = [
        nbformat.v4.new_output("stream", name="stdout", text="a"),
        nbformat.v4.new_output("stream", name="stdout", text="b"),
        nbformat.v4.new_output("display_data", data=widget, metadata={"x": 1}),
    ]
    cell, seen, text = normalise(notebook).cells
    assert cell.id == "cell-01"
    assert cell.metadata == tags | {"jupyter": {"source_hidden": True, "outputs_hidden": True}}
    assert (seen.metadata, text.metadata) == ({}, {"tags": [FOLDED]})
    assert [o.get("text") for o in cell.outputs] == ["ab", None]
    assert cell.outputs[1].data == {"text/plain": "w"}
