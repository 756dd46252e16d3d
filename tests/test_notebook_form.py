"""Every notebook keeps the form of the course, and every rule of the form can fail."""

import copy
import re
from functools import cache

import nbformat
import pytest

from stbp_edu.plotting.svg_figure import NARROW
from tests.notebook_rules import RULES, prose
from tools.notebooks.execution import FOLDED, NotebookError, execute, normalise
from tools.notebooks.numbering import files


def from_percent(text):
    """Return the notebook that a script describes: ``# %%`` starts code, ``[markdown]`` text.

    Another word behind ``# %%`` is a tag.
    """
    cells = []
    for part in re.split(r"^# %%", text, flags=re.M)[1:]:
        head, _, body = part.partition("\n")
        body = body.strip("\n")
        if "[markdown]" in head:
            cells.append(
                nbformat.v4.new_markdown_cell(re.sub(r"^# ?", "", body, flags=re.M))
            )
        else:
            cells.append(
                nbformat.v4.new_code_cell(body, metadata={"tags": head.split()})
            )
    return nbformat.v4.new_notebook(cells=cells)


def findings(notebook, rule):
    return list(RULES[rule](notebook))


@cache
def read(path):
    """Return a notebook of the course; no rule may change it."""
    return nbformat.read(path, as_version=4)


@pytest.mark.parametrize("slug", files())
def test_notebook_keeps_the_form(slug):
    found = {rule: findings(read(files()[slug]), rule) for rule in RULES}
    assert not {rule: what for rule, what in found.items() if what}


def html(text, kind="text/html"):
    return nbformat.v4.new_output("display_data", data={kind: text})


def stream(text):
    return nbformat.v4.new_output("stream", text=text)


CLOSED = html('<details class="stbp-answer"><summary>Show the answer</summary>')

BREAKS = [
    ("executed_in_order", lambda nb: nb.cells[-2].update(execution_count=9)),
    ("opening", lambda nb: edit(nb, "every factor named.", "factors. All of them.")),
    ("folded_code", lambda nb: [cell.metadata.clear() for cell in nb.cells]),
    ("asked_first", lambda nb: nb.cells[16].update(outputs=[CLOSED])),
    ("outputs", lambda nb: nb.cells[10].outputs.append(html("<img alt='Short.'>"))),
    ("outputs", lambda nb: nb.cells[10].outputs.append(html("", "image/svg+xml"))),
    ("outputs", lambda nb: nb.cells[10].outputs.append(stream("delta = -2/9"))),
    ("code_form", lambda nb: edit(nb, "import numpy as np", "%pip install numpy")),
    (
        "code_form",
        lambda nb: edit(nb, "import numpy as np", f"import numpy as np  # {'w' * 70}"),
    ),
    (
        "equations",
        lambda nb: edit(nb, "delta * h  # c1-epsilon", "delta  # c1-epsilom"),
    ),
    ("equations", lambda nb: edit(nb, "`loss`: $L =", "`loss`: $2 L =")),
    ("equations", lambda nb: edit(nb, "\\tag{c1-delta}", "\\tag{c9-delta}")),
    (
        "closing",
        lambda nb: edit(nb, "## Recap", "## Recap\n\n| `c1-delta` | `stbp_edu.c1` |"),
    ),
    ("asked_first", lambda nb: edit(nb, "**Product**", "Answer: 3.\n\n**Product**")),
    *(
        ("blocks", lambda nb, added=added: edit(nb, "## Recap", f"## Recap\n\n{added}"))
        for added in ("a\n- b", "a\n| b |", "- a\n  - b", "a\n$$\nb\n$$", "$$b$$")
    ),
]


def edit(notebook, old, new):
    assert any(old in cell.source for cell in notebook.cells)
    for cell in notebook.cells:
        cell.source = cell.source.replace(old, new)


@pytest.mark.parametrize(("rule", "mend"), BREAKS)
def test_rule_can_fail(rule, mend):
    notebook = copy.deepcopy(read(files()["case1"]))
    mend(notebook)
    assert findings(notebook, rule)


def test_links_to_sections_have_the_form_of_jupyterlab():
    """The site makes its own anchors of them."""
    headings = {}
    for path in files().values():
        text = prose(read(path))
        found = re.findall(r"^#+ (.+?)\s*$", text, flags=re.M)
        headings[path.name] = {heading.replace(" ", "-") for heading in found}
    for path in files().values():
        links = re.findall(r"\]\((\d\d_\w+\.ipynb)?#([^)\s]+)\)", prose(read(path)))
        for name, anchor in links:
            assert anchor in headings[name or path.name], (path.name, anchor)


DRAW = "fig, ax = plotting.figure()\nax.plot([x])\nplotting.show(fig, alt='A line.')"


ASK, HOLD = 'predict("c3-holds", "...")', 'predict("c3-holds", measured="t = 2")'
QUESTION = "# %% [markdown]\n# Add them up on paper.\n"
SHOWN = f"# %%\n{ASK}\n# %%\nx = 1\n# %%\nanswer(1)\n# %%\n{HOLD}"


@pytest.mark.parametrize(
    ("rule", "cells", "sound"),
    [
        ("folded_code", f"# %%\n{DRAW}", False),
        ("folded_code", f"# %% hide-input\n{DRAW}", True),
        (
            "folded_code",
            "# %%\nplotting.sweep_steps(5, 3)",
            True,
        ),  # as short as what hides it
        ("folded_code", f"# %%\nx = 1\n{DRAW}", True),
        ("folded_code", f"# %% hide-input\nx = 1  # c1-delta\n{DRAW}", False),
        ("folded_code", f"# %% hide-input answer\nx = 1  # c1-delta\n{DRAW}", True),
        ("folded_code", "# %% hide-input\nanswer(1)  # c1-delta", True),
        ("folded_code", '# %% hide-input\ncheck("c1-delta", f)', False),
        ("asked_first", SHOWN, True),
        ("asked_first", SHOWN.replace("answer(1)", "1"), False),
        ("asked_first", SHOWN.replace(HOLD, f"{HOLD}  # open"), False),
        ("asked_first", SHOWN.replace("x = 1", "answer(2)"), True),
        ("asked_first", f"# %%\n{ASK}", False),
        ("asked_first", f"{QUESTION}# %%\n1", False),
        ("asked_first", f"{QUESTION}# %%\nanswer(1)", True),
        ("asked_first", f"{QUESTION}# %%\nmine = ...", True),
        ("asked_first", "# %%\nanswer(1)", False),
    ],
)
def test_what_is_folded(rule, cells, sound):
    notebook = from_percent(cells)
    for cell in notebook.cells:
        if cell.source.startswith("answer(") or cell.source == HOLD:
            cell.outputs = [CLOSED]
        elif cell.source != "x = 1":
            cell.outputs = [stream("1")]
    assert (findings(notebook, rule) == []) == sound


@pytest.mark.slow
def test_a_failure_or_a_warning_stops_the_build(tmp_path):
    for code, message in (
        ("1 / 0", "ZeroDivisionError"),
        ("import warnings; warnings.warn('no')", "error stream"),
    ):
        with pytest.raises(NotebookError, match=message):
            execute(from_percent(f"# %%\n{code}"), "bad", tmp_path)


def test_normalising_keeps_tags_folds_code_in_jupyterlab_and_drops_what_is_random():
    notebook = from_percent("# %%\n1\n# %%\n2\n# %% [markdown]\n# 3")
    widget = {
        "application/vnd.jupyter.widget-view+json": {"model_id": "x"},
        "text/plain": "w",
    }
    tags = {"tags": ["long", FOLDED]}
    cell, seen, text = notebook.cells
    cell.metadata = nbformat.from_dict(tags | {"execution": {"iopub": "now"}})
    seen.metadata = nbformat.from_dict({"jupyter": {"source_hidden": True}})
    text.metadata = nbformat.from_dict({"tags": [FOLDED]})
    cell.outputs = [
        nbformat.v4.new_output("stream", name="stdout", text="a"),
        nbformat.v4.new_output("display_data", data=widget, metadata={"x": 1}),
        nbformat.v4.new_output("display_data", data={}, metadata={NARROW: ["svg"]}),
    ]
    cell, seen, text = normalise(notebook).cells
    assert cell.id == "cell-01"
    assert cell.metadata == tags | {"jupyter": {"source_hidden": True}}
    assert (seen.metadata, text.metadata) == ({}, {"tags": [FOLDED]})
    assert [o.get("text") for o in cell.outputs] == ["a", None, None]
    assert cell.outputs[1].data == {"text/plain": "w"}
    assert [o.metadata for o in cell.outputs[1:]] == [{}, {NARROW: ["svg"]}]
