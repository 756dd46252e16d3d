"""Source files as pages, so that every link to a line of code works, offline too."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from tools.equations import Places
from tools.site import ROOT
from tools.site.code import python
from tools.site.generate import front

Definition = tuple[str, int, int]  # file, first line, last line


def files(places: dict[str, Places]) -> list[Path]:
    """Return the Python files that the site shows: the package, and the tests that it names."""
    named = {place.path for found in places.values() for place in found.tests}
    for text in (*(ROOT / "docs").glob("*.md"), *(ROOT / "notebooks").glob("*.ipynb")):
        named.update(re.findall(r"\btests/[\w/]+\.py", text.read_text(encoding="utf-8")))
    paths = {*(ROOT / "stbp_edu").rglob("*.py"), *(ROOT / name for name in named)}
    return sorted(p for p in paths if p.is_file() and p.read_text(encoding="utf-8").strip())


def page(path: Path, api: str) -> str:
    """Return the page of one source file: highlighted, every line with an anchor.

    ``api`` is the line under the title: a link to the module's description, where it has one.
    """
    name = path.relative_to(ROOT).as_posix()
    code = path.read_text(encoding="utf-8")
    html = python(code)
    lines = "\n".join(
        f'<span class="line" id="L{k}">{line}</span>' for k, line in enumerate(html.split("\n"), 1)
    )
    about = f"Source of {name}, with an anchor at every line."
    head = front(name, about, search={"exclude": True}, hide=["toc", "tags"])
    title = name.replace("_", r"\_").replace("/", "/<wbr>")  # to be read as Markdown
    head = head.replace(f"# {name}", f"# {title} {{ .source-title }}")
    body = f'<div class="source highlight no-copy"><pre><code>{lines}</code></pre></div>'
    return f"{head}{api}{body}\n"


def definitions() -> dict[str, tuple[str, int, int]]:
    """Map the dotted name of each definition in the package to (file, first line, last line)."""
    found: dict[str, tuple[str, int, int]] = {}
    for path in sorted((ROOT / "stbp_edu").rglob("*.py")):
        name = path.relative_to(ROOT).as_posix()
        parts = path.relative_to(ROOT).with_suffix("").parts
        module = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        text = path.read_text(encoding="utf-8")
        found[module] = (name, 1, 1)
        _define(ast.parse(text), module, name, found)
    return found


def _define(node: ast.AST, prefix: str, path: str, found: dict[str, tuple[str, int, int]]) -> None:
    for child in ast.iter_child_nodes(node):
        for name in _names(child):
            found[f"{prefix}.{name}"] = (path, child.lineno, child.end_lineno or child.lineno)
        if isinstance(child, ast.ClassDef):
            _define(child, f"{prefix}.{child.name}", path, found)


def _names(child: ast.AST) -> list[str]:
    """Return the names that a statement defines."""
    if isinstance(child, (ast.FunctionDef, ast.ClassDef)):
        return [child.name]
    targets = child.targets if isinstance(child, ast.Assign) else [getattr(child, "target", None)]
    return [target.id for target in targets if isinstance(target, ast.Name)]
