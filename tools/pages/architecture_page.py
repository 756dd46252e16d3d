"""The drawings of ``docs/architecture.md``, made from the code: layers, folders and flows."""

import ast
import json
import re
import tomllib
from html import escape
from inspect import getdoc, getsource, isfunction
from typing import Any

from tools import ROOT

FLOWS = ROOT / "docs" / "assets" / "flows.json"  # tests/architecture records them
EVENTS = (
    "on_config", "on_files", "on_page_markdown", "on_page_content", "on_post_page", "on_post_build",
)  # fmt: skip


def floors() -> list[list[str]]:
    """Return the layers of the package that lint-imports enforces, the top first."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contract = next(c for c in settings["tool"]["importlinter"]["contracts"] if "layers" in c)
    return [[name.strip() for name in layer.split("|")] for layer in contract["layers"]]


def layers(*first: str) -> str:
    """Draw the layers, each module with the first sentence of its docstring.

    Args:
        first: the file of a folder with which to begin; folders that have one are set off.
    """
    begin = {file.split("/")[0]: file for file in first}

    def line(name: str) -> str:
        file = begin.get(name, "")
        to = f'<a href="../source/stbp_edu/{file.removesuffix(".py")}/">{file[len(name) + 1 :]}</a>'
        link = f'<a href="../api/{name}/"><code>{name}</code></a>'
        words = f"<span>{about(f'stbp_edu/{name}')}</span>"
        return f'<li class="begin">{link} {words} {to}</li>' if file else f"<li>{link} {words}</li>"

    rows = "".join(f"<li><ul>{''.join(map(line, names))}</ul></li>" for names in floors())
    return f'<ol class="layers">{rows}</ol>'


def modules(folder: str) -> str:
    """Return a table of the modules and folders below a folder, with what each is for."""
    lines = []
    for path in sorted((ROOT / folder).iterdir()):
        package = (path / "__init__.py").is_file()
        if package or (path.suffix == ".py" and not path.stem.startswith("__")):
            name = f"{path.name}/" if package else path.name
            lines.append(f"| `{name}` | {about(f'{folder}/{path.stem}')} |")
    return "\n".join(["| module | what is in it |", "|---|---|", *lines])


def about(stem: str) -> str:
    """Return the first sentence of the docstring of a module or package."""
    path = ROOT / stem / "__init__.py"
    source = (path if path.is_file() else ROOT / f"{stem}.py").read_text(encoding="utf-8")
    text = " ".join((ast.get_docstring(ast.parse(source)) or "").split("\n\n")[0].split())
    return re.sub(r":\w+:`([^`]*)`|``?([^`]*)``?", r"\1\2", text)


def flow(name: str, beyond: str = "") -> str:
    """Draw the files that an action enters, in order, each as far in as its layer is deep.

    Files that the action ``beyond`` enters are left out.
    """
    known = {entry["file"] for entry in _recorded()[beyond]} if beyond else set()
    depth = {module: k for k, names in enumerate(floors()) for module in names}
    steps = []
    for entry in _recorded()[name]:
        if (file := entry["file"]) in known:
            continue
        page = f"../source/stbp_edu/{file.removesuffix('.py')}/"
        words = f'<a href="{page}">{escape(file)}</a> <code>{escape(entry["function"])}</code>'
        steps.append((depth[file.split("/")[0].removesuffix(".py")], words))
    return _drawn(steps)


def count(name: str) -> str:
    """Return the number of files that a flow enters."""
    return str(len(_recorded()[name]))


def _recorded() -> dict[str, list[dict[str, str]]]:
    """Return the flows that the tests have traced."""
    found: dict[str, list[dict[str, str]]] = json.loads(FLOWS.read_text(encoding="utf-8"))
    return found


def _drawn(steps: list[tuple[int, str]]) -> str:
    """Return steps as a list in which the indent of a line is its depth."""
    lines = "".join(f'<li style="--depth:{depth}">{words}</li>' for depth, words in steps)
    return f'<ol class="flow">{lines}</ol>'


def build() -> str:
    """Draw the build of the site: MkDocs' events in order, and the functions that each calls."""
    from tools.site import hook, site_content  # which import this module

    steps = []
    for event in EVENTS:
        action = getattr(hook, event)
        first_line = (getdoc(action) or "").partition("\n")[0]
        steps.append((0, f"<code>{event}</code> {escape(first_line)}"))
        for call in _calls(action):
            steps.append((2, _name(call)))
            if call.__module__ == site_content.__name__:
                steps += [(4, _name(below)) for below in _calls(call)]
    return _drawn(steps)


def _calls(function: Any) -> list[Any]:
    """Return what a function calls of other modules of ``tools``, each once, in order.

    Functions of the module itself are followed.
    """
    found = dict[Any, None]()
    for dotted in re.findall(r"([A-Za-z_][\w.]*)\(", getsource(function)):
        head, *rest = dotted.split(".")
        called = function.__globals__.get(head)
        for name in rest:
            called = getattr(called, name, None)
        module = getattr(called, "__module__", None) or ""
        if module == function.__module__ and isfunction(called) and called is not function:
            found |= dict.fromkeys(_calls(called))
        elif module != function.__module__ and module.startswith("tools."):
            found[called] = None
    return list(found)


def _name(function: Any) -> str:
    return f"<code>{function.__module__}.{function.__name__}</code>"


DRAWINGS = {"layers": layers, "modules": modules, "flow": flow, "build": build, "count": count}
