"""The drawings of the architecture page, made from the code: layers, rooms and flows."""

import ast
import json
import re
import tomllib
from collections.abc import Iterator
from html import escape
from typing import Any

from tools.site import ROOT

DRAWING = re.compile(r"^\[\[(\w+)(?: ([\w./]+))?\]\]$", re.M)
EVENTS = (
    "on_config", "on_files", "on_page_markdown", "on_page_content", "on_post_page", "on_post_build",
)  # fmt: skip


def fill(markdown: str) -> str:
    """Return the page with each line ``[[name argument]]`` replaced by that drawing."""
    drawings = {"layers": layers, "rooms": rooms, "flow": flow, "hook": hook}
    return DRAWING.sub(lambda m: drawings[m[1]](*filter(None, [m[2]])), markdown)


def floors() -> list[list[str]]:
    """Return the import layers that lint-imports enforces, the top first."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contract = next(c for c in settings["tool"]["importlinter"]["contracts"] if c.get("layers"))
    return [[name.strip() for name in layer.split("|")] for layer in contract["layers"]]


def layers() -> str:
    """Draw the layers of the package, each module with the first line of its docstring."""
    rows = "".join(f"<li>{''.join(map(_layer_box, row))}</li>" for row in floors())
    return f'<ol class="layers" aria-label="Layers, the top first">{rows}</ol>'


def _layer_box(name: str) -> str:
    about = _about(f"stbp_edu/{name}")
    return f'<div><a href="../api/{name}/">{name}</a><span>{about}</span></div>'


def rooms(folder: str) -> str:
    """Return a table of what is in a folder, from the first lines of the docstrings."""
    lines = []
    for path in sorted((ROOT / folder).iterdir()):
        package = (path / "__init__.py").is_file()
        if package or (path.suffix == ".py" and path.stem not in ("__init__", "__main__")):
            name = f"{path.name}/" if package else path.name
            lines.append(f"| `{name}` | {_about(f'{folder}/{path.stem}')} |")
    return "\n".join(["| room | what is in it |", "|---|---|", *lines])


def _about(stem: str) -> str:
    """Return the first line of the docstring of a module or package."""
    path = ROOT / stem / "__init__.py"
    path = path if path.is_file() else ROOT / f"{stem}.py"
    text = (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").split("\n\n")[0]
    return re.sub(r":\w+:`([^`]*)`|``([^`]*)``", r"\1\2", " ".join(text.split()))


def flow(name: str) -> str:
    """Draw the files that an action enters, in order, each indented by its layer."""
    record = json.loads((ROOT / "docs" / "assets" / "flows.json").read_text(encoding="utf-8"))
    return _drawn([_step(entry) for entry in record[name]])


def _step(entry: dict[str, str]) -> tuple[int, str]:
    """Return the layer of a file, counted from the top, and the words of its line."""
    file = entry["file"]
    top = file.split("/")[0].removesuffix(".py")
    depth = next(k for k, row in enumerate(floors()) if top in row)
    link = f'<a href="../source/stbp_edu/{file.removesuffix(".py")}/">{escape(file)}</a>'
    return depth, f"{link} <code>{escape(entry['function'])}</code>"


def _drawn(steps: list[tuple[int, str]]) -> str:
    """Return the steps as a list, in which the indent of a line is its depth."""
    lines = "".join(f'<li style="--depth:{depth}">{words}</li>' for depth, words in steps)
    return f'<ol class="flow">{lines}</ol>'


def hook() -> str:
    """Draw the build of the site: MkDocs' events in order, and the functions that each calls."""
    path = "tools/site/hook.py"
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    imported = dict(_imports(tree))
    steps = []
    for event in (name for name in EVENTS if name in functions):
        steps.append((0, f"<code>{event}</code> {escape(_first_line(functions[event]))}"))
        steps += [(1, f"<code>{name}</code>") for name in _calls(event, functions, imported)]
    return _drawn(steps)


def _imports(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Yield the local name and the dotted name of what a module imports from this repository."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(("tools", "stbp")):
            for alias in node.names:
                yield alias.asname or alias.name, f"{node.module}.{alias.name}"


def _calls(name: str, functions: dict[str, Any], imported: dict[str, str]) -> list[str]:
    """Return the imported functions that a function calls, through the hook's own helpers too."""
    found: dict[str, None] = {}
    for node in ast.walk(functions[name]):
        if not isinstance(node, ast.Call):
            continue
        head, _, rest = ast.unparse(node.func).partition(".")
        if head in imported:
            found[f"{imported[head]}.{rest}".rstrip(".")] = None
        elif head in functions and head != name:
            found |= dict.fromkeys(_calls(head, functions, imported))
    return list(found)


def _first_line(function: ast.FunctionDef) -> str:
    return (ast.get_docstring(function) or "").split("\n")[0]
