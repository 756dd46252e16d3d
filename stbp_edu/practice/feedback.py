"""What the reader gets back: text in a terminal, HTML in a notebook and on the page.

An answer stays folded until the reader opens it. It is folded in the output itself, in HTML that
every reader of notebooks knows: so it is closed before the notebook is run and after it, in Jupyter
and on a page.
"""

import io
import re
from collections import Counter
from contextlib import redirect_stdout
from dataclasses import dataclass
from difflib import get_close_matches
from html import escape
from typing import Any, Self

from stbp_edu.practice.tasks import Exercise, chosen, tasks

DARK = ':is([data-jp-theme-light="false"],.vscode-dark,[theme="dark"]) .stbp-feedback'
CARD = (
    '<style class="stbp-style">'
    ".stbp-feedback{max-width:46em;margin:8px 0;padding:8px 16px;border-left:4px solid #868c95;"
    "border-radius:6px;background:#f1f2f4;color:#24292f}"
    ".stbp-feedback p:first-child{font-size:18px;font-weight:600;margin-top:4px}"
    ".stbp-feedback[data-state=right]{background:#e8f3ec;border-color:#1c6b45}"
    ".stbp-feedback[data-state=wrong]{background:#fbf1e3;border-color:#a2450a}"
    '.stbp-feedback[data-state=right] p:first-child::before{content:"✓ ";color:#1c6b45}'
    f"{DARK}{{background:#26292f;color:#e6e8eb}}"
    f"{DARK}[data-state=right]{{background:#16301f;border-color:#8fd3ae}}"
    f"{DARK}[data-state=right] p:first-child::before{{color:#8fd3ae}}"
    f"{DARK}[data-state=wrong]{{background:#3a2a17;border-color:#f0ab78}}"
    "</style>"
)
"""The look of feedback in Jupyter, VS Code and Colab; the site has one of its own."""
LABELS = {"right": "right", "todo": "not attempted yet", "wrong": "not right yet"}
SUBSCRIPT = re.compile(r"(?<!\w)(\w)_(th|\w{1,2})(?!\w)")
SUPERSCRIPT = re.compile(r"\^(?:\{([^}]*)\}|([\w⊤]))")
_hints_given = Counter[str]()


@dataclass(frozen=True)
class Feedback:
    """What is said about one answer.

    Attributes:
        exercise: id of the exercise.
        state: ``"right"``, ``"todo"`` or ``"wrong"``.
        message: the sentences for the reader, one paragraph each.
        mistakes: ids of the misconceptions that give exactly this answer.
        findings: what is found out about a mistake that has no name, each with its id and place.
        items: lines of a list before the message.
        together: whether it takes all of these mistakes to give the answer, not any of them.
        title: what the answer is called, where that is not the exercise's id.
    """

    exercise: str
    state: str
    message: tuple[str, ...] = ()
    mistakes: tuple[str, ...] = ()
    findings: tuple[Any, ...] = ()
    items: tuple[str, ...] = ()
    together: bool = False
    title: str = ""

    @property
    def right(self) -> bool:
        """Whether the answer is right."""
        return self.state == "right"

    def __repr__(self) -> str:
        """Return the text form."""
        label = LABELS.get(self.state, self.state)  # grading has states of its own
        head = f"{self.title or self.exercise}: {label}."
        lines = [head, *self.items, *self.message]
        return "\n  ".join(lines)

    def _repr_html_(self) -> str:
        """Return the HTML form, a card; a page's script reads the data attributes."""
        data = f'data-exercise="{escape(self.exercise)}" data-state="{self.state}"'
        if self.mistakes:
            data += f' data-mistakes="{" ".join(self.mistakes)}"'
        if self.together:
            data += " data-together"
        name = escape(self.title or self.exercise)
        said = f"<p><strong>{name}: {LABELS[self.state]}.</strong></p>"
        if self.items:
            rows = "".join(f"<li>{escape(item)}</li>" for item in self.items)
            said += f"<ul>{rows}</ul>"
        for line in self.message:
            said += f"<p>{markup(line)}</p>"
        card = f'<div class="stbp-feedback" role="status" {data}>{said}</div>'
        return card + CARD


@dataclass(frozen=True)
class Hint:
    """One hint."""

    exercise: str
    number: int
    of: int
    text: str

    def __repr__(self) -> str:
        """Return the text form."""
        return f"{self.exercise}, hint {self.number} of {self.of}: {self.text}"

    def _repr_html_(self) -> str:
        """Return the HTML form."""
        head = f"{escape(self.exercise)}, hint {self.number} of {self.of}:"
        return f'<div class="stbp-hint"><p><strong>{head}</strong> {markup(self.text)}</p></div>'


@dataclass(frozen=True)
class Solution:
    """A right answer with its reasoning."""

    exercise: str
    source: str
    reasoning: str

    def __repr__(self) -> str:
        """Return the text form."""
        return f"{self.source}\n\n{self.reasoning}"

    def _repr_html_(self) -> str:
        """Return the HTML form, which the reader can fold away again."""
        return (
            f'<details class="stbp-solution" open><summary>{escape(self.exercise)}: the solution'
            f"</summary><pre><code>{escape(self.source)}</code></pre>"
            f"<p>{markup(self.reasoning)}</p></details>"
        )


def hint(exercise_id: str) -> Hint:
    """Return the next hint for an exercise; after the last, the first again.

    Of a name that no exercise has, the hint is the nearest name.

    >>> hint("c1-epsilon")
    c1-epsilon, hint 1 of 2: Which arrows leave u^{T,N}? There is no step T+1.
    """
    if isinstance(exercise_id, str) and exercise_id not in tasks():
        near = get_close_matches(exercise_id, tasks(), n=1, cutoff=0.4)
        nearest = f"`hint({near[0]!r})`" if near else "`progress_report()`"
        text = f"there is no exercise of this name. Try {nearest}."
        return Hint(exercise_id, 1, 1, text)
    task = chosen(exercise_id, tasks())
    many = len(task.hints)
    k = _hints_given[task.id] % many
    _hints_given[task.id] += 1
    return Hint(task.id, k + 1, many, task.hints[k])


def solution(exercise_id: str) -> Solution:
    """Return a right answer with its reasoning.

    Raises:
        ValueError: if there is no such exercise.

    >>> print(solution("c1-epsilon").source)
    def c1_epsilon(delta, h):
        return delta * h
    """
    task = chosen(exercise_id, tasks())
    source = task.solution
    if isinstance(task, Exercise):
        source = task.source()
    return Solution(task.id, source, task.reasoning)


def markup(text: str) -> str:
    """Return HTML for a line of text: `code` is between backticks, and o^{t,n} has its index.

    >>> markup("`u_next` is u_1^{t+1,n}")
    '<code>u_next</code> is u<sub>1</sub><sup>t+1,n</sup>'
    >>> markup("∂L/∂w_ij")
    '∂L/∂w<sub>ij</sub>'
    """
    pieces = escape(text, quote=False).split("`")
    marked = ""
    for k, piece in enumerate(pieces):
        if k % 2:  # between backticks
            marked += f"<code>{piece}</code>"
        else:
            piece = SUBSCRIPT.sub(r"\1<sub>\2</sub>", piece)
            marked += SUPERSCRIPT.sub(r"<sup>\1\2</sup>", piece)
    return marked


SUMMARY = "Show the answer"
TEXT = "Answer (run the cell to see it)"
"""What a program shows that cannot fold."""


class FoldedAnswer:
    """Something that the reader is asked to find, folded.

    As the last expression of a cell it folds values, such as figures. As a ``with`` block it folds
    what the block prints.
    """

    def __init__(self, *values: Any) -> None:
        self.values = values

    def __enter__(self) -> Self:
        """Begin to collect what is printed."""
        self._printed = io.StringIO()
        self._redirected = redirect_stdout(self._printed)
        self._redirected.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        """Show what was printed: folded, or as it is if the block has failed."""
        self._redirected.__exit__(*error)
        text = self._printed.getvalue()
        if error[0] is not None:
            print(text, end="")
            return
        self.values = (*self.values, text.removesuffix("\n"))
        _display(self)

    def __repr__(self) -> str:
        return "\n".join(_text(value) for value in self.values)

    def _repr_mimebundle_(
        self, include: Any = None, exclude: Any = None
    ) -> tuple[dict[str, str], dict[str, Any]]:
        """Return the answer folded, and the metadata of the figures in it."""
        metadata: dict[str, Any] = {}
        inside = ""
        for value in self.values:
            html, told = _shown(value)
            inside += html
            for key, figures in told.items():
                metadata[key] = metadata.get(key, []) + figures
        return {"text/html": folded(inside), "text/plain": TEXT}, metadata


def answer(*values: Any) -> FoldedAnswer:
    """Return values folded, or in a ``with`` block fold what it prints.

    >>> answer(2 / 9)
    0.2222222222222222
    >>> print(answer("δ = -2/9")._repr_mimebundle_()[0]["text/html"])
    <details class="stbp-answer"><summary>Show the answer</summary><pre>δ = -2/9</pre></details>
    """
    return FoldedAnswer(*values)


def folded(html: str) -> str:
    """Return HTML in a fold that says that it holds an answer."""
    return f'<details class="stbp-answer"><summary>{SUMMARY}</summary>{html}</details>'


def _shown(value: Any) -> tuple[str, dict[str, Any]]:
    """Return a value as HTML, or text where it has none, and the metadata of its figures."""
    if hasattr(value, "_repr_mimebundle_"):
        bundle = value._repr_mimebundle_()
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
        return data["text/html"], metadata
    if hasattr(value, "_repr_html_"):
        return value._repr_html_(), {}
    if hasattr(value, "_repr_latex_"):
        return escape(value._repr_latex_(), quote=False), {}
    return f"<pre>{escape(_text(value), quote=False)}</pre>", {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else repr(value)


def _display(shown: FoldedAnswer) -> None:
    """Show an answer as a notebook does; in a terminal, as text."""
    try:
        from IPython.display import display
    except ImportError:
        print(repr(shown))
    else:
        display(shown)  # type: ignore[no-untyped-call]
