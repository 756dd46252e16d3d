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
from tools.notebooks.execution import FOLDED, OUTPUT_FOLDED, normalise

EARLY = 6  # cells within which the grid must appear
LINES = {"": 15, "long": 25}
LONG_CELLS = 2
WALL = 3  # lines of imports
MIXED = 4  # lines that draw in a cell that does more than drawing
CHECK = r"^check(?:_formula|_network)?\("
EQUATION = r"#\s*([a-z0-9]+-[a-z-]+(?:, [a-z0-9]+-[a-z-]+)*)\s*$"  # a line may compute two
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


def picture_first(notebook: Any, name: str) -> Iterator[str]:
    """A sentence and a picture come before any wall of imports that is in view."""
    sentence = picture = False
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            text = re.sub(
                r"^(?:#|\*\*(?:Goal|You need|Time)\.\*\*).*$", "", cell.source, flags=re.M
            )
            sentence = sentence or bool(re.search(r"[.:?!](?:\s|$)", text))
            continue
        lines = sum(
            (node.end_lineno or node.lineno) - node.lineno + 1
            for node in ast.parse(cell.source).body
            if isinstance(node, ast.Import | ast.ImportFrom)
        )
        if lines > WALL and not _is_folded(cell):
            yield from [f"{cell.id}: {lines} lines of imports before a picture"] * (not picture)
            return
        if any("image/svg+xml" in output.get("data", {}) for output in cell.outputs):
            yield from [f"{cell.id}: a picture before any sentence"] * (not sentence)
            picture = True


def folded_code(notebook: Any, name: str) -> Iterator[str]:
    """Code that only draws is folded; code that teaches, or that later cells need, is in view."""
    cells = code_cells(notebook)
    for k, cell in enumerate(cells):
        tree = ast.parse(cell.source)
        kept = _defined(tree) & _needed([c for c in cells[k + 1 :] if not _is_folded(c)])
        drawn = len(_drawing_lines(tree))
        teaches = re.search(EQUATION, cell.source, flags=re.M) or any(
            isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Assert) for node in tree.body
        )
        if _is_folded(cell):
            if re.search(EQUATION, cell.source, flags=re.M):
                yield f"{cell.id}: folded, and holds the line of an equation"
            if re.search(CHECK, cell.source, flags=re.M):
                yield f"{cell.id}: folded, and holds an exercise"
            if kept:
                yield f"{cell.id}: folded, and defines {sorted(kept)} for later cells"
        elif drawn > 1 and not kept and not teaches:
            yield f"{cell.id}: only draws; tag it {FOLDED}"
        elif drawn > MIXED:
            yield f"{cell.id}: draws in {drawn} lines and does more; draw in a cell of its own"
    for cell in notebook.cells:
        if cell.cell_type != "code" and _is_folded(cell):
            yield f"{cell.id}: text cannot be folded"


def surprises(notebook: Any, name: str) -> Iterator[str]:
    """What comes after a prediction, until it is held against the measurement, is folded."""
    waiting: set[str] = set()
    for cell in notebook.cells:
        folded = OUTPUT_FOLDED in cell.metadata.get("tags", [])
        shows = bool(waiting and cell.get("outputs"))
        if shows and not folded:
            yield f"{cell.id}: shows what {sorted(waiting)} asks for; tag it {OUTPUT_FOLDED}"
        if folded and not shows:
            yield f"{cell.id}: shows nothing that a prediction waits for; not {OUTPUT_FOLDED}"
        asked, measured = _predicted(cell)
        waiting = (waiting | asked) - measured
    yield from (f"{id_}: predicted, and never held against a measurement" for id_ in waiting)


def _predicted(cell: Any) -> tuple[set[str], set[str]]:
    """Return the ids that a cell asks for, and those for which it has the measurement."""
    asked: set[str] = set()
    measured: set[str] = set()
    for node in ast.walk(ast.parse(cell.source if cell.cell_type == "code" else "")):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "predict":
            found = measured if any(k.arg == "measured" for k in node.keywords) else asked
            found.add(ast.literal_eval(node.args[0]))
    return asked, measured


def _is_folded(cell: Any) -> bool:
    return FOLDED in cell.metadata.get("tags", [])


def _defined(tree: ast.Module) -> set[str]:
    """Return the names that a cell defines, but for what it imports."""
    names = {
        n.id for n in _outside(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
    }
    return names | {n.name for n in tree.body if isinstance(n, ast.FunctionDef | ast.ClassDef)}


def _needed(cells: list[Any]) -> set[str]:
    """Return the names that cells read before they define them."""
    needed: set[str] = set()
    known: set[str] = set()
    for cell in cells:
        tree = ast.parse(cell.source)
        for statement in tree.body:
            used = {
                n.id for n in ast.walk(statement)
                if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)
            }  # fmt: skip
            needed |= used - known - _bound_inside(statement)
            known |= _defined(ast.Module([statement], []))
    return needed


def _bound_inside(statement: ast.stmt) -> set[str]:
    """Return the names of arguments and of comprehensions, which hide those outside."""
    nodes = list(ast.walk(statement))
    arguments = {n.arg for n in nodes if isinstance(n, ast.arg)}
    loops = [n.target for n in nodes if isinstance(n, ast.comprehension | ast.For)]
    functions = [n for n in nodes if isinstance(n, ast.FunctionDef)]
    stored = [n for tree in [*loops, *functions] for n in ast.walk(tree)]
    return arguments | {
        n.id for n in stored if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
    }


def _outside(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes of a cell but for the insides of functions and comprehensions."""
    for node in ast.iter_child_nodes(tree):
        if not isinstance(
            node,
            ast.FunctionDef | ast.Lambda | ast.ClassDef
            | ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp,
        ):  # fmt: skip
            yield node
            yield from _outside(node)


def _drawing_lines(tree: ast.Module) -> set[int]:
    """Return the lines of the statements that draw: with ``plotting``, or on what it returned."""
    lines: set[int] = set()
    drawing = {"plotting"}

    def look(statements: list[ast.stmt]) -> None:
        for node in statements:
            head = node.iter if isinstance(node, ast.For) else node
            inner = getattr(node, "body", []) if not isinstance(node, ast.FunctionDef) else []
            names = {n.id for n in ast.walk(head) if isinstance(n, ast.Name)}
            if isinstance(node, ast.For):
                if names & drawing:
                    drawing.update(n.id for n in ast.walk(node.target) if isinstance(n, ast.Name))
                    lines.add(node.lineno)
            elif not inner and names & drawing:
                lines.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
                if isinstance(node, ast.Assign) and "plotting.figure" in ast.unparse(node.value):
                    targets = [n for target in node.targets for n in ast.walk(target)]
                    drawing.update(n.id for n in targets if isinstance(n, ast.Name))
            look(inner)

    look(tree.body)
    return lines


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


def written_ids(code: str) -> list[str]:
    """Return the ids in comments at the end of code lines."""
    return ", ".join(re.findall(EQUATION, code, flags=re.M)).split(", ")


def code_ids(notebook: Any, name: str) -> Iterator[str]:
    """The ids in a comment at the end of a code line are known."""
    families = {id_.split("-")[0] for id_ in EQUATIONS if "-" in id_}
    for cell in code_cells(notebook):
        for found in written_ids(cell.source):
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
    """Links between pages lead somewhere: a notebook, a page, a file here, a page that is made."""
    pages = ROOT / "docs", ROOT / "tools" / "pages" / "templates"
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(notebook)):
        path = target.split("#")[0]
        if not path or re.match(r"https?:|mailto:", path):
            continue
        page = path.removeprefix("../").removeprefix("docs/")
        files = ROOT / "notebooks" / path, *(folder / page for folder in pages)
        if not any(file.exists() for file in files):
            yield f"broken link {target}"


def words(notebook: Any, name: str) -> Iterator[str]:
    """No word that tells a reader who is stuck that it was easy."""
    text = re.sub(r"\$\$.*?\$\$|`[^`]*`", "", prose(notebook), flags=re.S)
    for word in re.findall(rf"\b(?:{WORN})\b", text, flags=re.I):
        yield f"the word {word!r} in the prose"


RULES: dict[str, Rule] = {
    rule.__name__: rule
    for rule in (
        executed_in_order, normal_form, opening, one_generator, grid_early, picture_first,
        folded_code, surprises, outputs, code_form, equations, code_ids, closing, links, words,
    )
}  # fmt: skip


def findings(path: Path) -> list[str]:
    """Return a line for each violation in a notebook file, with the name of its rule."""
    notebook = nbformat.read(path, as_version=4)
    return [f"{key}: {text}" for key, rule in RULES.items() for text in rule(notebook, path.stem)]
