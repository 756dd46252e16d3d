"""Runs cells inside the page's Python: streams, rich results, readable tracebacks, figures."""

import ast
import base64
import builtins
import importlib.machinery
import io
import json
import keyword
import linecache
import logging
import os
import re
import sys
import traceback
import types

LIMIT = (
    100_000  # characters that one cell may print, so that a loop cannot fill the page
)
WIDTH = 79
PACKAGE = "/site-packages/stbp_edu/"
REPRS = {
    "text/html": "_repr_html_",
    "text/markdown": "_repr_markdown_",
    "image/svg+xml": "_repr_svg_",
    "text/latex": "_repr_latex_",
    "image/png": "_repr_png_",
}


class Stream(io.TextIOBase):
    """Hands on what is printed, as it is printed."""

    def __init__(self, name, emit):
        self.name, self.emit, self.printed = name, emit, 0

    def writable(self):
        """Tell Python that this can be written to."""
        return True

    def write(self, text):
        """Hand on a piece of text, up to the limit."""
        if self.printed < LIMIT:
            self.emit(
                json.dumps({"type": "stream", "name": self.name, "text": text[:LIMIT]})
            )
            if self.printed + len(text) >= LIMIT:
                note = f"\n… the rest is left out: a cell may print {LIMIT:,} characters here\n"
                self.emit(
                    json.dumps({"type": "stream", "name": "stderr", "text": note})
                )
        self.printed += len(text)
        return len(text)


def pretty(value, indent=0):
    """Return the text of a value; a long container goes one entry a line, as in Jupyter."""
    text = repr(value)
    kind = type(value)
    if len(text) + indent <= WIDTH or kind not in (list, tuple, dict, set) or not value:
        return text
    pad = " " * (indent + 1)
    if kind is dict:
        entries = [
            f"{k!r}: {pretty(v, indent + len(repr(k)) + 3)}" for k, v in value.items()
        ]
    else:
        entries = [pretty(entry, indent + 1) for entry in value]
    opening, closing = text[0], text[-1]
    return opening + f",\n{pad}".join(entries) + closing


def bundle(value):
    """Return the value's representations by mime type, as IPython collects them."""
    data = {}
    method = getattr(value, "_repr_mimebundle_", None)
    if callable(method) and not isinstance(value, type):
        given = method(include=None, exclude=None)
        data = dict(given[0] if isinstance(given, tuple) else given or {})
    for mime, name in REPRS.items():
        method = getattr(value, name, None)
        if mime not in data and callable(method) and not isinstance(value, type):
            given = method()
            given = given[0] if isinstance(given, tuple) else given
            if given is not None:
                data[mime] = given
    if _is_figure(value) and not data:
        data["image/png"] = _png(value)
    data.setdefault("text/plain", pretty(value))
    return {
        m: base64.b64encode(d).decode() if isinstance(d, bytes) else d
        for m, d in data.items()
    }


def verdict(value):
    """Return what ``check`` found out about an answer, if the value is its feedback."""
    module = sys.modules.get("stbp_edu.practice.feedback")
    if module is None or not isinstance(value, module.Feedback):
        return None
    return {"exercise": value.exercise, "state": value.state}


def _is_figure(value):
    return "matplotlib.figure" in sys.modules and isinstance(
        value, sys.modules["matplotlib.figure"].Figure
    )


def _png(figure):
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=144, bbox_inches="tight")
    return buffer.getvalue()


class Libraries:
    """Finds a library that is not there yet: fetches it, while Python waits for the import."""

    def __init__(self, names, fetch):
        self.left, self.fetch = {*names}, fetch

    def find_spec(self, name, path=None, target=None):
        """Return where a library is, once it has come; None for any other module."""
        if name not in self.left:
            return None
        self.fetch(name)
        self.left.remove(name)
        importlib.invalidate_caches()
        return importlib.machinery.PathFinder.find_spec(name)


def bring_when_imported(names, fetch):
    """Let an import of one of these libraries fetch it by ``fetch(name)``."""
    sys.meta_path.append(Libraries(names, fetch))


class Runner:
    """Keeps the variables of the page and runs one cell at a time."""

    def __init__(self, emit):
        self.emit = emit
        self.namespace = sys.modules["__main__"].__dict__
        builtins.display = self.display
        logging.getLogger("matplotlib.font_manager").setLevel(
            logging.ERROR
        )  # no news of its cache
        self._pretend_ipython()

    def display(self, *values, **_options):
        """Show values, as IPython's display does."""
        for value in values:
            message = {"type": "display", "data": bundle(value)}
            if found := verdict(value):
                message["verdict"] = found
            self.emit(json.dumps(message))

    def run(self, source, number, view):
        """Run a cell on a wide or narrow page; return JSON: whether it worked, or the error."""
        os.environ["STBP_VIEW"] = view  # figures are drawn at this width alone
        name = f"<cell {number}>"
        linecache.cache[name] = (
            len(source),
            None,
            source.splitlines(keepends=True),
            name,
        )
        kept = sys.stdout, sys.stderr
        sys.stdout, sys.stderr = (
            Stream("stdout", self.emit),
            Stream("stderr", self.emit),
        )
        try:
            shown = self._execute(source, name)
            self._open_figures(shown)
            return json.dumps({"ok": True})
        except BaseException as error:
            return json.dumps({"ok": False, "error": describe(error)})
        finally:
            sys.stdout, sys.stderr = kept

    def names(self, text):
        """Return as JSON the names with which the last one of a text may go on.

        Unlike ``rlcompleter``, this reads no attribute of what the dots lead to: a module's may
        need a library that is not there yet.
        """
        found = re.search(r"(?<![\w.])((?:[^\W\d]\w*\.)*)(\w*)$", text)
        if found is None:  # after a call, whose value is not known
            return "[]"
        owner, begun = found.groups()
        known = {*self.namespace, *dir(builtins), *keyword.kwlist}
        if owner:
            try:
                known = set(dir(eval(owner[:-1], self.namespace)))
            except Exception:  # the reader's object may raise anything
                known = set()
        return json.dumps(
            sorted(
                name
                for name in known
                if name.startswith(begun)
                and (begun.startswith("_") or not name.startswith("_"))
            )
        )

    def _execute(self, source, name):
        """Run the statements; show the value of a last expression, and return it."""
        tree = ast.parse(source, name)
        last = None
        if tree.body and isinstance(tree.body[-1], ast.Expr) and not _silenced(source):
            last = ast.Expression(tree.body.pop().value)
        exec(compile(tree, name, "exec"), self.namespace)
        if last is None:
            return None
        value = eval(compile(last, name, "eval"), self.namespace)
        if value is not None:
            self.namespace["_"] = value
            self.display(value)
        return value

    def _open_figures(self, shown):
        """Show the figures of pyplot that the cell left open, and close them."""
        pyplot = sys.modules.get("matplotlib.pyplot")
        for number in pyplot.get_fignums() if pyplot else []:
            figure = pyplot.figure(number)
            if figure is not shown:
                self.display(figure)
            pyplot.close(figure)

    def _pretend_ipython(self):
        """Offer the few names that a cell may import from IPython.display."""
        module = types.ModuleType("IPython.display")
        module.display = self.display
        module.clear_output = lambda wait=False: self.emit(
            json.dumps({"type": "clear"})
        )
        for name, mime in (("HTML", "text/html"), ("Markdown", "text/markdown"),
                           ("Latex", "text/latex"), ("SVG", "image/svg+xml")):  # fmt: skip
            setattr(module, name, _wrapper(name, mime))
        package = types.ModuleType("IPython")
        package.display, package.get_ipython = module, lambda: None
        sys.modules.setdefault("IPython", package)
        sys.modules.setdefault("IPython.display", module)


def _silenced(source):
    return source.rstrip().endswith(";")


def _wrapper(name, mime):
    """Return a class whose instances show their text as this mime type."""
    show = lambda self, include=None, exclude=None: {mime: self.data}  # noqa: E731
    keep = lambda self, data: setattr(self, "data", data)  # noqa: E731
    return type(name, (), {"__init__": keep, "_repr_mimebundle_": show})


def describe(error):
    """Return the error's name and message, its text, and where it happened in the reader's lines.

    Frames of this runner and of this package are left out; of another library's the last one stays.
    """
    text = "".join(traceback.format_exception_only(error))
    trace = "" if isinstance(error, SyntaxError) else "".join(_places(error))
    message = str(error).splitlines()[0] if str(error) else ""
    return {
        "name": type(error).__name__,
        "message": message,
        "text": _shown(text),
        "trace": _shown(trace),
    }


def _places(error):
    """Yield the places of an error and of those before it, the last error first."""
    while error is not None:
        frames = [
            frame
            for frame in traceback.extract_tb(error.__traceback__)
            if frame.filename != __file__
        ]
        own = [frame for frame in frames if frame.filename.startswith("<cell ")]
        last = frames[-1:]
        if last and last[0] not in own and PACKAGE not in last[0].filename:
            own += last
        yield from traceback.StackSummary.from_list(own).format()
        error = error.__cause__ or (
            None if error.__suppress_context__ else error.__context__
        )
        if error is not None:
            yield f"After {''.join(traceback.format_exception_only(error))}"


def _shown(text):
    """Return the text of an error with cells named as the page names them."""
    text = text.replace('File "<cell ', 'File "cell ').replace('>", line', '", line')
    return text.replace("/lib/python3.12/site-packages/", "")
