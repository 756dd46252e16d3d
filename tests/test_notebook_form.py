"""Every notebook keeps the form of the course, and every rule of the form can fail."""

import copy
import re
from functools import cache
from pathlib import Path

import nbformat
import pytest

from stbp_edu.equations import EQUATIONS
from tests.notebook_rules import RULES, findings
from tools.notebooks import FOLDED, OUTPUT_FOLDED, NotebookError, execute, normalise

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))

GOOD = r"""
# %% [markdown]
# # 7 · An example
#
# **Goal.** Show the form.
#
# **You need.** [The map](00_map.ipynb).
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
            prose = "\n".join(re.sub(r"^# ?", "", line) for line in body.splitlines())
            cells.append(nbformat.v4.new_markdown_cell(prose))
        else:
            cells.append(nbformat.v4.new_code_cell(body, metadata={"tags": head.split()}))
    return nbformat.v4.new_notebook(cells=cells)


def build(folder):
    """Write the good notebook, executed, and return its path."""
    target = folder / "07_example.ipynb"
    nbformat.write(execute(from_percent(GOOD), target.name, folder), target)
    return target


@cache
def read(path):
    """Return a notebook of the course; no rule may change it."""
    return nbformat.read(path, as_version=4)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("path", NOTEBOOKS, ids=[p.stem for p in NOTEBOOKS])
def test_notebook_keeps_the_form(path, rule):
    assert list(RULES[rule](read(path), path.stem)) == []


def test_the_map_lists_every_notebook_in_order_with_the_time_it_gives():
    notebooks = {p.stem: read(p) for p in NOTEBOOKS}
    table = "\n".join(c.source for c in notebooks["00_map"].cells if c.cell_type == "markdown")
    rows = re.findall(r"^\| (\d+) \| \[[^]]+\]\((\w+)\.ipynb\): .+ \| (\d+) \|$", table, flags=re.M)
    assert [f"{name[:2]}" for _, name, _ in rows] == [f"{k:02d}" for k in range(1, len(rows) + 1)]
    listed = {name: minutes for _, name, minutes in rows}
    for name, notebook in list(notebooks.items())[1:]:
        time = re.search(r"\*\*Time\.\*\* .*?(\d+) minutes", notebook.cells[0].source)
        assert listed.get(name) == time[1], f"{name}: the map says {listed.get(name)} minutes"


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    return build(tmp_path_factory.mktemp("notebooks"))


def test_a_good_notebook_passes(good):
    assert findings(good) == []


@pytest.mark.slow
def test_executing_twice_gives_the_same_bytes(good, tmp_path):
    assert build(tmp_path).read_bytes() == good.read_bytes()


BREAKS = {
    "executed_in_order": lambda nb: nb.cells[2].update(execution_count=9),
    "normal_form": lambda nb: nb.cells[0].update(id="random"),
    "opening": lambda nb: edit(nb, 0, "Show the form.", "Show it. Twice."),
    "one_generator": lambda nb: edit(nb, 1, "default_rng(7)", "default_rng()"),
    "grid_early": lambda nb: edit(nb, 2, "plotting.grid(", "plotting.other("),
    "picture_first": lambda nb: edit(nb, 1, "rng =", "import a\nimport b\nrng ="),
    "folded_code": lambda nb: nb.cells[2].metadata.clear(),
    "surprises": lambda nb: nb.cells[4].metadata.update(tags=[OUTPUT_FOLDED]),
    "outputs": lambda nb: svg(nb).update({"image/svg+xml": "<svg></svg>"}),
    "code_form": lambda nb: edit(nb, 4, "print", "%time print"),
    "equations": lambda nb: edit(nb, 3, "h(u", "g(u"),
    "code_ids": lambda nb: edit(nb, 4, "# c1-epsilon", "# c1-epsilom"),
    "closing": lambda nb: edit(nb, 5, "rule_can_fail", "no_such_test"),
    "links": lambda nb: edit(nb, 0, "00_map", "00_nap"),
    "words": lambda nb: edit(nb, 0, "Show the form", "Obviously the form"),
}


def edit(notebook, cell, old, new):
    assert old in notebook.cells[cell].source
    notebook.cells[cell].source = notebook.cells[cell].source.replace(old, new)


def svg(notebook):
    return notebook.cells[2].outputs[0]["data"]


@pytest.mark.parametrize("rule", RULES)
def test_rule_can_fail(good, rule):
    notebook = copy.deepcopy(nbformat.read(good, as_version=4))
    BREAKS[rule](notebook)
    assert list(RULES[rule](notebook, good.stem))


DRAW = "fig, ax = plotting.figure()\nax.plot([x])\nplotting.show(fig, alt='A line.')"
PANELS = "for ax, y in zip(axes, 'ab'):\n    ax.plot(y)\n    ax.set_title(y)"


@pytest.mark.parametrize(
    ("cells", "found"),
    [
        (f"# %%\n{DRAW}", "only draws"),
        (f"# %% hide-input\n{DRAW}", ""),
        ("# %%\nplotting.sweep_steps(5, 3)", ""),  # one line is as short as the line that hides it
        (f"# %%\nx = 1\n{DRAW}\n# %%\nprint(x)", ""),
        (f"# %%\nx = 1\n{DRAW}\n# %%\nx = 2\nprint(x)", "only draws"),
        (f"# %%\nx = 1\n{DRAW}\n# %%\n[x for x in y]", "only draws"),
        (f"# %%\nx = 1\n{DRAW}\n# %%\ndef f():\n    return x", ""),
        (f"# %% hide-input\nx = 1\n{DRAW}\n# %%\nprint(x)", "defines ['x'] for later cells"),
        (f"# %% hide-input\nimport x\n{DRAW}\n# %%\nprint(x)", ""),
        (f"# %%\nx = 1  # c1-delta\n{DRAW}", ""),
        (f"# %% hide-input\nx = 1  # c1-delta\n{DRAW}", "holds the line of an equation"),
        ('# %% hide-input\ncheck("c1-delta", f)', "holds an exercise"),
        (f"# %%\nx = 1\nfig, axes = plotting.figure(2, 1)\n{PANELS}\n# %%\nx", ""),
        (
            f"# %%\nx = 1\nfig, axes = plotting.figure(2, 1)\n{PANELS}\nfig.show()\n# %%\nx",
            "draws in 5 lines",
        ),
    ],
)
def test_what_is_folded(cells, found):
    lines = list(RULES["folded_code"](from_percent(cells), "07_example"))
    assert [found in line for line in lines] == [True] * bool(found)


ASK, HOLD = 'predict("c3-holds", "...")', 'predict("c3-holds", "...", measured="t = 2")'


@pytest.mark.parametrize(
    ("cells", "found"),
    [
        (f"# %%\n{ASK}\n# %%\nx = 1\n# %% hide-output\n1\n# %% hide-output\n{HOLD}", ""),
        (f"# %%\n{ASK}\n# %% [markdown]\n# Look.\n# %%\n1\n# %% hide-output\n{HOLD}", "tag it"),
        (f"# %%\n{ASK}\n# %%\n{HOLD}", "tag it"),
        (f"# %% hide-output\n{ASK}\n# %% hide-output\n{HOLD}", "shows nothing"),
        (f"# %%\n{ASK}\n# %% hide-output\nx = 1\n# %% hide-output\n{HOLD}", "shows nothing"),
        (f"# %%\n{ASK}\n# %% hide-output\n{HOLD}\n# %% hide-output\n1", "shows nothing"),
        (f"# %%\n{ASK}", "never held against"),
    ],
)
def test_where_an_output_is_folded(cells, found):
    notebook = from_percent(cells)
    for cell in notebook.cells:
        if cell.cell_type == "code" and cell.source != "x = 1":
            cell.outputs = [nbformat.v4.new_output("stream", text="1")]
    lines = list(RULES["surprises"](notebook, "07_example"))
    assert [found in line for line in lines] == [True] * bool(found)


@pytest.mark.parametrize(
    ("first", "last", "found"),
    [
        ("import a", "DRAW", ""),
        ("import a\nimport b\nimport c\nfrom d import e", "DRAW", "4 lines of imports"),
        ("from a import (\n    b,\n    c,\n)", "DRAW", "4 lines of imports"),
        ("DRAW", "import a\nimport b\nimport c\nimport d", ""),
    ],
)
def test_what_comes_first(first, last, found):
    notebook = from_percent(f"# %% [markdown]\n# One sentence.\n# %%\n{first}\n# %%\n{last}")
    for cell in notebook.cells:
        if cell.source == "DRAW":
            data = {"image/svg+xml": "<svg></svg>"}
            cell.outputs = [nbformat.v4.new_output("display_data", data=data)]
    lines = list(RULES["picture_first"](notebook, "07_example"))
    assert [found in line for line in lines] == [True] * bool(found)
    if first == "DRAW":
        del notebook.cells[0]
        assert "before any sentence" in next(RULES["picture_first"](notebook, "07_example"))


@pytest.mark.parametrize(
    "text",
    [
        r"$$ E = 0 \tag{c1-epsilon} $$",
        "`c1-epsilon`: $E = 0$",
        "`c1-epsilon`:\n\n$$\nE = 0\n$$",
        r"$$ E = 0 \tag{c9-epsilon} $$",
    ],
)
def test_a_formula_that_drifts_is_found_wherever_it_is_stated(text):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(text)])
    assert list(RULES["equations"](notebook, "07_example"))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("code", "message"),
    [("1 / 0", "ZeroDivisionError"), ("import warnings; warnings.warn('no')", "error stream")],
)
def test_a_failure_or_a_warning_stops_the_build(tmp_path, code, message):
    with pytest.raises(NotebookError, match=message):
        execute(from_percent(f"# %%\n{code}"), "bad", tmp_path)


def test_a_folded_cell_is_folded_in_jupyterlab_and_no_other_is():
    notebook = from_percent("# %%\n1\n# %%\n2\n# %% [markdown]\n# 3\n# %%\n4")
    hidden = {"jupyter": {"source_hidden": True}}
    notebook.cells[0].metadata = nbformat.from_dict({"tags": ["long", FOLDED]})
    notebook.cells[1].metadata = nbformat.from_dict(hidden)
    notebook.cells[2].metadata = nbformat.from_dict({"tags": [FOLDED]})
    notebook.cells[3].metadata = nbformat.from_dict({"tags": [FOLDED, OUTPUT_FOLDED]})
    folded, seen, text, both = normalise(notebook).cells
    assert folded.metadata == {"tags": ["long", FOLDED], **hidden}
    assert seen.metadata == {}
    assert text.metadata == {"tags": [FOLDED]}
    assert both.metadata["jupyter"] == {"source_hidden": True, "outputs_hidden": True}


def test_normalising_drops_what_is_random():
    notebook = from_percent("# %%\n1")
    widget = {"application/vnd.jupyter.widget-view+json": {"model_id": "x"}, "text/plain": "w"}
    cell = notebook.cells[0]
    cell.metadata = nbformat.from_dict({"tags": ["long"], "execution": {"iopub": "now"}})
    cell.outputs = [
        nbformat.v4.new_output("stream", name="stdout", text="a"),
        nbformat.v4.new_output("stream", name="stdout", text="b"),
        nbformat.v4.new_output("display_data", data=widget, metadata={"x": 1}),
    ]
    cell = normalise(notebook).cells[0]
    assert cell.id == "cell-01"
    assert cell.metadata == {"tags": ["long"]}
    assert [o.get("text") for o in cell.outputs] == ["ab", None]
    assert cell.outputs[1].data == {"text/plain": "w"}
