"""What a class gets in a week: a handout and slides, made of its notebooks by nbconvert.

On the handout there are lines to write on in place of what a reader is to find: answers, folds and
exercises. A slide shows a heading, an equation, a figure or a question; a key shows its answer. Its
notes, which the key S opens, have the text of the section and the misconceptions to expect.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace

import nbformat
from bs4 import BeautifulSoup, Tag
from nbconvert import HTMLExporter
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from stbp_edu.practice.tasks import tasks
from stbp_edu.teaching.notebooks import notebook
from stbp_edu.teaching.problem_set import ProblemSet
from tools.site.render.notebook_page import Notebook, folder
from tools.teach.weeks import plan
from tools.templates import filled

HEADING = re.compile(r"^#{1,3} (.*)$", re.M)
FOLD = re.compile(r"(<details.*?</details>)", re.S)
SHORT_PATH = re.compile(r"^\*\*One evening:\*\*.*$", re.M)
"""Where a reader on the short path goes on, which is nothing to a class."""
SKIPPED = ("Exercises", "Recap", "Where to go from here")
DRAWN = ("$$", "|", "- ", "1. ", "```")
"""How a block begins that a slide shows; the notes have all of the text."""
EXPECTED = 4
"""Misconceptions in the notes of a section."""
ANSWER = 'class="stbp-answer"'
SHOWN = ("<img", "data-choices", "<svg", ANSWER)
EXPORTER = HTMLExporter(
    template_name="basic", exclude_input_prompt=True, exclude_output_prompt=True
)


def soup_of(cells: list[NotebookNode], *, with_code: bool) -> BeautifulSoup:
    """Return cells as nbconvert's HTML, without links to other files, and without styles."""
    EXPORTER.exclude_input = not with_code
    html, _ = EXPORTER.from_notebook_node(new_notebook(cells=cells))
    soup = BeautifulSoup(html, "html.parser")
    for part in soup.select("style, script, .anchor-link"):
        part.decompose()
    for cell in soup.select(".cell"):
        del cell["id"]  # drawn at random for a new cell
    for link in soup.select('a[href]:not([href^="http"])'):
        link.unwrap()
    return soup


def lines(count: int) -> Tag:
    """Return lines to write on."""
    html = f'<div class="write">{"<div></div>" * count}</div>'
    return BeautifulSoup(html, "html.parser").div


def cells_of(read: Notebook) -> list[NotebookNode]:
    """Return the cells of a notebook."""
    cells: list[NotebookNode] = nbformat.read(folder() / f"{read.stem}.ipynb", 4).cells
    return cells


def handout(week: SimpleNamespace) -> str:
    """Return the notebooks of a week as one page to print, without what a reader is to find."""
    parts = []
    for cells in map(cells_of, week.notebooks):
        soup = soup_of(cells, with_code=True)
        for code in soup.select(".celltag_answer .input"):
            code.replace_with(lines(5))
        for code in soup.select(".celltag_hide-input .input"):
            code.decompose()
        for fold in soup.select("details"):
            asked = fold.summary.extract()
            fold.replace_with(lines(5))
            if "stbp-answer" not in fold.get("class", []):
                asked.name = "p"
        for card in soup.select(".stbp-feedback[data-exercise]"):
            card.replace_with(lines(8))
        parts.append(str(soup))
    return filled("handout.html", title=title(week), parts=parts)


@dataclass
class Slide:
    """One slide: what it shows at once, what a key shows, and what its notes say."""

    heading: str
    shown: str = ""
    then: str = ""
    notes: list[str] = field(default_factory=list)


def deck(week: SimpleNamespace) -> str:
    """Return the slides of a week's notebooks."""
    slides = [s for read in week.notebooks for s in _slides(read)]
    return filled("deck.html", title=title(week), slides=slides)


def _slides(read: Notebook) -> Iterator[Slide]:
    """Yield the slides of a notebook: texts, figures, questions and answers."""
    heading = ""
    for cell in cells_of(read):
        if cell.cell_type == "code":
            for output in cell.outputs if heading not in SKIPPED else ():
                yield from _of_output(output, heading)
            continue
        for part in FOLD.split(cell.source):
            before, *sections = HEADING.split(part)
            texts = zip(
                [heading, *sections[::2]], [before, *sections[1::2]], strict=True
            )
            for heading, text in texts:
                text = SHORT_PATH.sub("", text)
                if heading in SKIPPED or not text.strip():
                    continue
                if text.startswith("<details"):
                    yield _of_fold(text, heading)
                else:
                    yield _of_text(text, heading, int(read.stem[:2]))


def _of_text(text: str, heading: str, number: int) -> Slide:
    """Return the slide of a text: its equations, tables and lists, or else how it begins.

    Its notes name the mistakes in the tasks of this section of the notebook with that number.
    """
    blocks = re.split(r"\n\s*\n", text.strip())
    shown = [block for block in blocks if block.startswith(DRAWN)] or blocks[:1]
    expected: dict[str, str] = {}
    for task in tasks().values():
        if (task.notebook, task.section) == (number, heading):
            for made in task.mistakes:
                said = f'Expect in "{task.title}": {made.name}. {made.why}'
                expected.setdefault(made.id, said)
    notes = [text, *[*expected.values()][:EXPECTED]]
    return Slide(heading, _html("\n\n".join(shown)), notes=notes)


def _html(text: str) -> str:
    return str(soup_of([new_markdown_cell(text)], with_code=False))


def _of_fold(text: str, heading: str) -> Slide:
    """Return the slide of a fold: what it asks, and then its answer."""
    fold = soup_of([new_markdown_cell(text)], with_code=False).details
    asked = fold.summary.extract()
    return Slide(heading, f"<p>{asked.decode_contents()}</p>", fold.decode_contents())


def _of_output(output: NotebookNode, heading: str) -> Iterator[Slide]:
    """Yield the slide of an output, if it is a formula, a figure, a question or an answer."""
    data = output.get("data", {})
    html = data.get("text/html", "")
    if "text/latex" in data or any(mark in html for mark in SHOWN):
        soup = soup_of([new_code_cell(outputs=[output])], with_code=False)
        if ANSWER in html:
            soup.details.summary.decompose()
            soup.details.unwrap()
        yield Slide(heading, str(soup))


def title(week: SimpleNamespace) -> str:
    """Return the title of a week."""
    return f"Week {week.number}: {week.told['title']}"


def files(week: SimpleNamespace) -> dict[str, str]:
    """Return the files of a week, by path in the site."""
    name = f"week{week.number}"
    asked = ProblemSet(name, title(week), [task.id for task in week.homework])
    return {
        f"teach/{name}/handout.html": handout(week),
        f"teach/{name}/slides.html": deck(week),
        f"teach/{name}/{name}.ipynb": notebook(asked),
        f"teach/{name}/{name}.toml": plan(week),
    }
