"""The form of the course as rules on a notebook: each yields a line for whatever violates it."""

import ast
import re
from collections.abc import Callable, Iterator
from typing import Any

from stbp_edu._support.equations import EQUATIONS
from tools.notebooks.execution import FOLDED

LINES = {"": 15, "long": 25, "folded": 30}
EQUATION = (
    r"#\s*([a-z0-9]+-[a-z-]+(?:, [a-z0-9]+-[a-z-]+)*)\s*$"  # a line may compute two
)
UNSEEN = (
    r"^\s*[%!]|\bpyplot\b|\binput\(|^\s*(?:import|from) (?:threading|subprocess)"
    r"|np\.random\.(?:seed|rand|randn|choice|RandomState)\b"
)
ASKS = re.compile(
    r"\b(?:on paper|Guess|guess (?:first|the)|Try|try (?:it|to|both)|[Tt]hink first|[Bb]efore you"
    r"|[Ww]ith (?:a|the) pencil|[Tt]hen (?:look|compare)|[Ww]ork (?:it|both) out"
    r"|(?:Count|List|Mark) them|[Ww]rite (?:it|them|both|down))\b"
)
BLANK = r"^\w+(?:, \w+)* = .*\.\.\.|^ +(?:return )?\.\.\.$|^predict\("  # where a reader answers
SHOWN = {"text/plain", "text/html", "text/latex"}
CLOSED = '<details class="stbp-answer">'
ALT = re.compile(r'<img class="stbp-figure" alt="[^"]{20,}" width')
DISPLAYED = (
    r"(\A|\n\n) *\Z",
    r"\A..\n(?s:.*)\n *..\Z",
    r"\A(\n\n|\s*\Z)",
)  # before, itself, after
TOO_CLOSE = r"^(?![-*+|] |\d+\. | ).*\S.*\n(?:[-*+] |\d+\. )|^[^|\n]+\n\||^ {1,3}(?:[-*+]|\d+\.) .*"

Rule = Callable[[Any], Iterator[str]]


def code_cells(notebook):
    """Return the code cells."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def prose(notebook):
    """Return all Markdown cells, joined."""
    return "\n\n".join(c.source for c in notebook.cells if c.cell_type == "markdown")


def opening(notebook):
    """The first cell has the title, one sentence of a goal, what is needed, and the time."""
    first = notebook.cells[0].source
    goal = re.search(r"^\*\*Goal\.\*\* (.+?)(?:\n\n|\Z)", first, flags=re.M | re.S)
    if not goal or len(re.findall(r"[.!?](?:\s|\Z)", goal[1])) != 1:
        yield "'**Goal.** ...' must be a paragraph of one sentence"
    for wanted in (
        r"^# (?:\d+ · )?\S",
        r"\*\*You need\.\*\* ",
        r"\*\*Time\.\*\* .*\d+ minutes",
    ):
        if not re.search(wanted, first):
            yield f"{wanted} is missing"


def _is_folded(cell):
    return FOLDED in cell.metadata.get("tags", [])


def _is_closed(cell):
    """Whether a cell shows something, and all of it is folded in the output itself."""
    shown = [output.get("data", {}).get("text/html", "") for output in cell.outputs]
    return bool(shown) and all(html.startswith(CLOSED) for html in shown)


def asked_first(notebook):
    """What a reader is asked to find is folded: after a question, and what a prediction is about.

    A question is the last paragraph before code, and its answer all output up to the next text,
    unless one of these cells is for the reader to fill in.
    """
    waiting = set()
    for question, cells in _questions(notebook):
        open_question = question and not any(map(_is_blank, cells))
        for cell in cells:
            asked = bool(cell.outputs and (waiting or open_question))
            if asked and not _is_closed(cell):
                yield f"{cell.id}: {question or sorted(waiting)} asks for it; use answer(...)"
            elif _is_closed(cell) and not (asked or question or _is_folded(cell)):
                yield f"{cell.id}: an answer, and nothing asks for it"
            for id_, measured in _predicted(cell):
                waiting = waiting - {id_} if measured else waiting | {id_}
    yield from (
        f"{id_}: predicted, and never held against a measurement" for id_ in waiting
    )
    if re.search(r"Think first\. The answer:|^Answer: ", prose(notebook), flags=re.M):
        yield "an answer in the open; put it into <details>"


def _questions(notebook):
    """Yield the words with which each text asks, or "", and the code cells up to the next text."""
    question, cells = "", []
    for cell in [*notebook.cells, None]:
        if cell and cell.cell_type == "code":
            cells.append(cell)
        else:
            yield question, cells
            found = cell and ASKS.search(cell.source.rstrip().rsplit("\n\n", 1)[-1])
            question, cells = found[0] if found else "", []


def _is_blank(cell):
    """Whether a reader answers in this cell."""
    return bool(re.search(BLANK, cell.source, flags=re.M))


def _predicted(cell):
    """Yield each prediction that a cell asks for, and whether it is held against a measurement."""
    for node in ast.walk(ast.parse(cell.source)):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "predict":
            measured = any(keyword.arg == "measured" for keyword in node.keywords)
            yield ast.literal_eval(node.args[0]), measured


def outputs(notebook):
    """Outputs are text and described figures; none failed, warned, or differs by machine."""
    for cell in code_cells(notebook):
        for output in cell.outputs:
            if output.output_type == "error" or output.get("name") == "stderr":
                yield f"{cell.id}: an error or a warning"
            data = output.get("data", {})
            if strange := set(data) - SHOWN:
                yield f"{cell.id}: output of type {sorted(strange)}"
            html = data.get("text/html", "")
            if html.count("<img") != len(ALT.findall(html)):
                yield f"{cell.id}: a figure without words; use plotting.show(fig, alt=...)"
            text = output.get("text", "") + data.get("text/plain", "")
            if re.search(r"\d\.\d{9,}|0x[0-9a-f]{6,}", text):
                yield f"{cell.id}: an unrounded number or an address: {text[:60]!r}"


def code_form(notebook):
    """Cells are short Python without magics, pyplot and global randomness."""
    for cell in code_cells(notebook):
        tags = cell.metadata.get("tags", [])
        size = "folded" if _is_folded(cell) else "long" if "long" in tags else ""
        count = sum(bool(line.strip()) for line in cell.source.splitlines())
        if count > LINES[size]:
            yield f"{cell.id}: {count} lines of code; at most {LINES[size]}"
        if found := re.search(UNSEEN, cell.source, flags=re.M):
            yield f"{cell.id}: {found[0].strip()} has no place in a notebook"


def equations(notebook):
    """A tagged display equation, or `id`: $...$ in the text, is a form of the register."""
    text = prose(notebook)
    stated = re.findall(r"`([a-z0-9-]+)`:\s+\$\$?([^$]+)\$", text)
    for block in re.findall(r"\$\$(.+?)\$\$", text, flags=re.S):
        formula = re.sub(r"\\tag\{[^}]*\}", "", block)
        stated += [(tag, formula) for tag in re.findall(r"\\tag\{([^}]*)\}", block)]
    for id_, latex in stated:
        forms = EQUATIONS[id_].forms.values() if id_ in EQUATIONS else ()
        if re.sub(r"\s", "", latex) not in {re.sub(r"\s", "", form) for form in forms}:
            yield f"{id_} differs from every form in equations.toml: {latex.strip()}"
    families = {id_.split("-")[0] for id_ in EQUATIONS if "-" in id_}
    for found in written_ids("\n".join(cell.source for cell in code_cells(notebook))):
        if found.split("-")[0] in families and found not in EQUATIONS:
            yield f"unknown equation id {found}"


def written_ids(code):
    """Return the ids in comments at the end of code lines."""
    return ", ".join(re.findall(EQUATION, code, flags=re.M)).split(", ")


def closing(notebook):
    """Exercises, then the recap as the last section."""
    heads = re.findall(r"^## (.+)$", prose(notebook), flags=re.M)
    if heads[-2:] != ["Exercises", "Recap"]:
        yield "the end must be Exercises and Recap"


def blocks(notebook):
    """Lists, tables and display formulas stand apart, as the site's Markdown needs it, too."""
    for cell in (c for c in notebook.cells if c.cell_type == "markdown"):
        text = re.sub(r"```.*?```|`[^`\n]*`", "x", cell.source, flags=re.S)
        for found in re.finditer(TOO_CLOSE, text, flags=re.M):
            yield f"{cell.id}: an empty line before it, or four spaces: {found[0]!r}"
        for found in re.finditer(r"\$\$.+?\$\$", text, flags=re.S):
            around = text[: found.start()], found[0], text[found.end() :]
            if not all(map(re.search, DISPLAYED, around)):
                yield f"{cell.id}: not on lines of its own between empty lines: {found[0]!r}"


RULES = {
    rule.__name__: rule
    for rule in (
        opening, asked_first, outputs, code_form, equations, closing, blocks,
    )
}  # fmt: skip
