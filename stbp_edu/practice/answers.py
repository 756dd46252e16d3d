"""Answers that stay folded in a notebook's output until the reader opens them.

They are folded in the output itself, in HTML that every reader of notebooks knows. So an answer is
closed before the notebook is run and after it, in Jupyter and on a page.
"""

import io
from contextlib import redirect_stdout
from html import escape
from typing import Any, Self

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
