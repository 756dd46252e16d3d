"""The API pages: one directive each, and an index of the public names."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from tools.site import ROOT
from tools.site.generate import front
from tools.site.generate.source import definitions

PACKAGE = ROOT / "stbp_edu"
HEAD = "| name | what it is |\n|---|---|\n"


def pages() -> dict[str, str]:
    """Return the pages of the modules at the top of the package: path to Markdown."""
    found = {}
    for path in sorted(PACKAGE.iterdir()):
        module = path / "__init__.py" if path.is_dir() else path
        if path.stem.startswith("_") or not module.is_file() or module.suffix != ".py":
            continue
        about = summary(ast.parse(module.read_text(encoding="utf-8"))) or path.stem
        head = front(path.stem, f"stbp_edu.{path.stem}: {about}", tags=["reference"], hide=["tags"])
        head = head[: head.index("\n# ")]
        found[f"api/{path.stem}.md"] = f"{head}\n::: stbp_edu.{path.stem}\n"
    return found


def index(modules: dict[str, str]) -> str:
    """Return the first page of the API: the public names, then the modules."""
    known = definitions()
    top = ast.parse((PACKAGE / "__init__.py").read_text(encoding="utf-8"))
    rows = {}
    for node in top.body:
        if isinstance(node, ast.ImportFrom) and node.module:
            for name in (alias.name for alias in node.names):
                full = f"{node.module}.{name}"
                if full in known:
                    page = full.split(".")[1]
                    rows[name] = f"| [`stbp_edu.{name}`]({page}.md#{full}) | {_about(full)} |"
    about = "The public names of stbp_edu and its modules, from their docstrings."
    text = front("API", about, tags=["reference"], hide=["tags"])
    text += (
        "`import stbp_edu` gives the names of the first table. Each entry links to its source and "
        "to the equations that it computes.\n\n"
    )
    text += HEAD + "\n".join(rows[name] for name in sorted(rows, key=str.lower))
    text += "\n\n## Modules\n\n" + HEAD
    for stem in (Path(path).stem for path in modules):
        text += f"| [`stbp_edu.{stem}`]({stem}.md) | {_about(f'stbp_edu.{stem}')} |\n"
    return text


def _about(full: str) -> str:
    """Return the first sentence of a definition's docstring, for a table."""
    path, first, _ = definitions()[full]
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        named = isinstance(node, (ast.FunctionDef, ast.ClassDef)) and node.lineno == first
        if named and full.endswith(f".{node.name}"):
            return summary(node).replace("|", "\\|")
    return summary(tree).replace("|", "\\|")


def summary(node: ast.Module | ast.FunctionDef | ast.ClassDef) -> str:
    """Return the first paragraph of a docstring as plain text."""
    text = (ast.get_docstring(node) or "").split("\n\n")[0].replace("\n", " ")
    return re.sub(r":\w+:`([^`]*)`|`+([^`]*)`+", lambda m: m[1] or m[2], text)
