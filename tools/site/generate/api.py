"""The API pages: a directive for each module, and an index of the public names."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from pkgutil import iter_modules

from tools.site import ROOT
from tools.site.docstrings import prepare
from tools.site.generate import front
from tools.site.generate.source import definitions

HEAD = "| name | what it is |\n|---|---|\n"
PART = """
::: {name}
    options: {{ heading: {short}, toc_label: {stem}, heading_level: {level} }}
"""


def pages() -> dict[str, str]:
    """Return the pages of the modules at the top of the package: path to Markdown."""
    found = {}
    for stem in _modules("stbp_edu"):
        name = f"stbp_edu.{stem}"
        about = summary(_tree(name)) or stem
        head = front(stem, f"{name}: {about}", tags=["reference"], hide=["tags"])
        head = head[: head.index("\n# ")]
        parts = "".join(_directive(part) for part in _below(name))
        found[f"api/{stem}.md"] = f"{head}\n::: {name}\n{parts}"
    return found


def _directive(name: str) -> str:
    """Return what describes a module on the page of its package."""
    short = name.removeprefix("stbp_edu.")
    stem = short.rpartition(".")[2]
    return PART.format(name=name, short=short, stem=stem, level=1 + short.count("."))


def _below(name: str) -> Iterator[str]:
    """Yield the modules that a package's page describes: those with something public in them."""
    public = _public(_tree(name))
    for stem in _modules(name):
        if public is None or stem in public:
            yield f"{name}.{stem}"
            yield from _below(f"{name}.{stem}")


def _modules(name: str) -> list[str]:
    """Return the modules of a package, those for its own use left out."""
    folder = str(ROOT.joinpath(*name.split(".")))
    return [m.name for m in iter_modules([folder]) if not m.name.startswith("_")]


def _public(package: ast.Module) -> set[str] | None:
    """Return what ``__all__`` names, and the modules that these names are from; None without it."""
    for node in package.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            names = set(ast.literal_eval(node.value))
            break
    else:
        return None
    imports = [node for node in package.body if isinstance(node, ast.ImportFrom)]
    taken = (n for n in imports if any((a.asname or a.name) in names for a in n.names))
    return names | {str(node.module).rpartition(".")[2] for node in taken}


def index(modules: dict[str, str]) -> str:
    """Return the first page of the API: the public names, then the modules."""
    known = definitions()
    rows = {}
    for node in _tree("stbp_edu").body:
        if isinstance(node, ast.ImportFrom) and node.module:
            for name in (alias.name for alias in node.names):
                full = f"{node.module}.{name}"
                if full in known:
                    page = full.split(".")[1]
                    rows[name] = f"| [`{name}`]({page}.md#{full}) | {_about(full)} |"
    about = "The public names of stbp_edu and its modules, from their docstrings."
    text = front("API", about, tags=["reference"], hide=["tags"])
    text += (
        "`import stbp_edu` gives the names in the first table. Each leads to its description, and "
        "that to the source and, where there are some, to the equations.\n\n"
    )
    text += HEAD + "\n".join(rows[name] for name in sorted(rows, key=str.lower))
    text += "\n\n## Modules\n\n" + HEAD
    for stem in (Path(path).stem for path in modules):
        text += f"| [`{stem}`]({stem}.md) | {_about(f'stbp_edu.{stem}')} |\n"
    return text


def entry(path: Path, pages: dict[str, str]) -> str:
    """Return a link from the page of a source file to the API of its module, or its package."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    name, up = ".".join(parts).removesuffix(".__init__"), "../" * len(parts)
    while "." in name:
        page = f"api/{name.split('.')[1]}.md"
        if f"::: {name}\n" in pages.get(page, ""):
            return f"[API: {name}]({up}{page}#{name})\n{{ .doc-links }}\n\n"
        name = name.rpartition(".")[0]
    return f"[API]({up}api/index.md)\n{{ .doc-links }}\n\n" if name == "stbp_edu" else ""


def _about(full: str) -> str:
    """Return the first paragraph of a definition's docstring, for a table."""
    module, _, name = full.rpartition(".")
    named = (n for n in _tree(module).body if isinstance(n, (ast.FunctionDef, ast.ClassDef)))
    node = next((n for n in named if n.name == name), None) or _tree(full)
    text = prepare(_first(node)).replace("|", "\\|")
    return re.sub(r" \(ids? [^)]*\)", "", text)


def summary(node: ast.Module) -> str:
    """Return the first paragraph of a docstring as plain text."""
    return re.sub(r":\w+:`([^`]*)`|`+([^`]*)`+", lambda m: m[1] or m[2], _first(node))


def _first(node: ast.Module | ast.FunctionDef | ast.ClassDef) -> str:
    return (ast.get_docstring(node) or "").split("\n\n")[0].replace("\n", " ")


def _tree(name: str) -> ast.Module:
    """Return a module's syntax tree."""
    path = ROOT.joinpath(*name.split("."))
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return ast.parse(file.read_text(encoding="utf-8"))
