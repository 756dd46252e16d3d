"""The form of the course as rules on a notebook: each yields a line for whatever violates it."""

from __future__ import annotations

import ast
import copy
import pkgutil
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat

from stbp_edu.equations import EQUATIONS
from tools import ROOT
from tools.notebooks.execution import normalise

EARLY = 6  # cells within which the grid must appear
LINES = {"": 15, "long": 25}
LONG_CELLS = 2
WORN = r"simply|obviously|clearly|trivial(?:ly)?|of course|easy to see|just|merely|needless to say"
TEXT_ONLY = {"text/plain", "text/html", "image/svg+xml"}  # HTML: practice feedback

Rule = Callable[[Any, str], Iterator[str]]


def code_cells(notebook: Any) -> list[Any]:
    """Return the code cells."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def prose(notebook: Any) -> str:
    """Return all Markdown cells, joined."""
    return "\n\n".join(c.source for c in notebook.cells if c.cell_type == "markdown")


def executed_in_order(notebook: Any, name: str) -> Iterator[str]:
    """Code cells are executed, from the first to the last, once."""
    counts = [cell.execution_count for cell in code_cells(notebook)]
    if counts != list(range(1, len(counts) + 1)):
        yield f"execution counts are {counts}; run it from a fresh kernel"


def normal_form(notebook: Any, name: str) -> Iterator[str]:
    """The file holds nothing that changes from run to run."""
    if normalise(copy.deepcopy(notebook)) != notebook:
        yield "the file is not as tools.notebooks writes it; run: python -m tools.notebooks run"


def opening(notebook: Any, name: str) -> Iterator[str]:
    """The first cell has the number, the title, goal, prerequisites and time."""
    first = notebook.cells[0].source
    number = int(name[:2])
    if not re.match(rf"# {number} · \S", first):
        yield f"the first line must be '# {number} · Title'"
    goal = re.search(r"^\*\*Goal\.\*\* (.+?)(?:\n\n|\Z)", first, flags=re.M | re.S)
    if not goal or len(re.findall(r"[.!?](?:\s|\Z)", goal[1])) != 1:
        yield "'**Goal.** ...' must be a paragraph of one sentence"
    if "**You need.** " not in first:
        yield "'**You need.** ...' is missing"
    if not re.search(r"\*\*Time\.\*\* .*\d+ minutes", first):
        yield "'**Time.** ... minutes' is missing"


def one_generator(notebook: Any, name: str) -> Iterator[str]:
    """One seeded generator; further ones only from a variable named seed."""
    code = "\n".join(cell.source for cell in code_cells(notebook))
    made = re.findall(r"default_rng\(([^)]*)\)", code)
    if sum(arg.isdigit() for arg in made) != 1 or not all(a.isdigit() or a == "seed" for a in made):
        yield f"there must be one np.random.default_rng(<number>), got {made}"
    if re.search(r"np\.random\.(?:seed|rand|randn|choice|RandomState)\b", code):
        yield "the global random state is used; draw from rng"


def grid_early(notebook: Any, name: str) -> Iterator[str]:
    """The (t, n) grid stands near the top."""
    if not any("plotting.grid(" in cell.source for cell in notebook.cells[:EARLY]):
        yield f"plotting.grid(...) must be among the first {EARLY} cells"


def outputs(notebook: Any, name: str) -> Iterator[str]:
    """Outputs are text and described SVG; nothing that failed, warned, or differs by machine."""
    for cell in code_cells(notebook):
        for output in cell.outputs:
            if output.output_type == "error" or output.get("name") == "stderr":
                yield f"{cell.id}: an error or a warning"
            data = output.get("data", {})
            if strange := set(data) - TEXT_ONLY:
                yield f"{cell.id}: output of type {sorted(strange)}"
            svg = data.get("image/svg+xml", "")
            if svg and not re.match(r'<svg role="img" aria-label="[^"]{20,}"', svg):
                yield f"{cell.id}: a figure without words; use plotting.show(fig, alt=...)"
            text = output.get("text", "") + data.get("text/plain", "")
            if re.search(r"\d\.\d{9,}|0x[0-9a-f]{6,}", text):
                yield f"{cell.id}: an unrounded number or an address: {text[:60]!r}"


def code_form(notebook: Any, name: str) -> Iterator[str]:
    """Cells are short Python without magics and without pyplot."""
    long = 0
    for cell in code_cells(notebook):
        tag = "long" if "long" in cell.metadata.get("tags", []) else ""
        long += tag == "long"
        count = sum(bool(line.strip()) for line in cell.source.splitlines())
        if count > LINES[tag]:
            yield f"{cell.id}: {count} lines of code; at most {LINES[tag]}"
        if re.search(
            r"^\s*[%!]|\bpyplot\b|\binput\(|^\s*(?:import|from) (?:threading|subprocess)",
            cell.source,
            flags=re.M,
        ):
            yield f"{cell.id}: a magic, pyplot, input, threads or processes"
            continue
        try:
            ast.parse(cell.source)
        except SyntaxError as error:
            yield f"{cell.id}: {error}"
    if long > LONG_CELLS:
        yield f"{long} cells tagged long; at most {LONG_CELLS}"


def equations(notebook: Any, name: str) -> Iterator[str]:
    """A tagged display equation, or `id`: $...$ in the text, is a form of the register."""
    text = prose(notebook)
    stated = re.findall(r"`([a-z0-9-]+)`:\s+\$\$?([^$]+)\$", text)
    for block in re.findall(r"\$\$(.+?)\$\$", text, flags=re.S):
        for tag in re.findall(r"\\tag\{([^}]*)\}", block):
            stated.append((tag, re.sub(r"\\tag\{[^}]*\}", "", block)))
    for id_, latex in stated:
        if id_ not in EQUATIONS:
            yield f"unknown equation id {id_}"
        elif re.sub(r"\s", "", latex) not in {
            re.sub(r"\s", "", form) for form in EQUATIONS[id_].forms.values()
        }:
            yield f"{id_} differs from every form in stbp_edu.equations: {latex.strip()}"


def code_ids(notebook: Any, name: str) -> Iterator[str]:
    """The ids in a comment at the end of a code line are known; a line may compute two."""
    families = {id_.split("-")[0] for id_ in EQUATIONS if "-" in id_}
    listed = re.compile(r"#\s*([a-z0-9]+-[a-z-]+(?:, [a-z0-9]+-[a-z-]+)*)\s*$", re.M)
    for cell in code_cells(notebook):
        for found in ", ".join(listed.findall(cell.source)).split(", "):
            if found.split("-")[0] in families and found not in EQUATIONS:
                yield f"{cell.id}: unknown equation id {found}"


def closing(notebook: Any, name: str) -> Iterator[str]:
    """Exercises, then the recap as the last section, with ids, functions and tests that exist."""
    heads = re.findall(r"^## (.+)$", prose(notebook), flags=re.M)
    if heads[-2:] != ["Exercises", "Recap"]:
        yield f"the last two sections must be Exercises and Recap, got {heads[-2:]}"
        return
    rows = re.findall(r"^\| `([^`]+)` \|(.*)\|(.*)\|$", prose(notebook), flags=re.M)
    if not rows:
        yield "the recap needs a table: | `id` | `stbp_edu.function` | `test_name` |"
    paths = sorted((ROOT / "tests").rglob("test_*.py"))
    all_tests = "\n".join(path.read_text(encoding="utf-8") for path in paths)
    for id_, functions, tests in rows:
        if id_ not in EQUATIONS:
            yield f"recap: unknown equation id {id_}"
        for dotted in re.findall(r"`([\w.]+)`", functions):
            try:
                pkgutil.resolve_name(dotted)
            except (ImportError, AttributeError):
                yield f"recap: {dotted} does not exist"
        keys = re.findall(r"`(\w+)`", tests)
        if not keys:
            yield f"recap: {id_} names no test"
        for key in keys:
            if not re.search(rf"def test_\w*{key}", all_tests):
                yield f"recap: no test has {key} in its name"


def links(notebook: Any, name: str) -> Iterator[str]:
    """Links between pages lead somewhere: a notebook of the course, a page, a file here."""
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(notebook)):
        path = target.split("#")[0]
        if not path or re.match(r"https?:|mailto:", path):
            continue
        page = path.removeprefix("../")
        if not ((ROOT / "notebooks" / path).exists() or (ROOT / "docs" / page).exists()):
            yield f"broken link {target}"


def words(notebook: Any, name: str) -> Iterator[str]:
    """No word that tells a reader who is stuck that it was easy."""
    text = re.sub(r"\$\$.*?\$\$|`[^`]*`", "", prose(notebook), flags=re.S)
    for word in re.findall(rf"\b(?:{WORN})\b", text, flags=re.I):
        yield f"the word {word!r} in the prose"


RULES: dict[str, Rule] = {
    rule.__name__: rule
    for rule in (
        executed_in_order, normal_form, opening, one_generator, grid_early, outputs, code_form,
        equations, code_ids, closing, links, words,
    )
}  # fmt: skip


def findings(path: Path) -> list[str]:
    """Return a line for each violation in a notebook file, with the name of its rule."""
    notebook = nbformat.read(path, as_version=4)
    return [f"{key}: {text}" for key, rule in RULES.items() for text in rule(notebook, path.stem)]
