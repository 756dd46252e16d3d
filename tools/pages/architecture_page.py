"""What ``docs/architecture.md`` draws, read from the code: layers, folders and flows."""

import ast
import json
import re
import tomllib
from inspect import getdoc, getsource, isfunction
from typing import Any

from tools import ROOT

FLOWS = ROOT / "docs" / "assets" / "flows.json"  # tests/architecture records them


def floors() -> list[list[str]]:
    """Return the layers of the package that lint-imports enforces, the top first."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contract = next(c for c in settings["tool"]["importlinter"]["contracts"] if "layers" in c)
    return [[name.strip() for name in layer.split("|")] for layer in contract["layers"]]


def modules(folder: str) -> dict[str, str]:
    """Return the modules and folders below a folder, each with what it is for."""
    found = {}
    for path in sorted((ROOT / folder).iterdir()):
        package = (path / "__init__.py").is_file()
        if package or (path.suffix == ".py" and not path.stem.startswith("__")):
            found[f"{path.name}/" if package else path.name] = about(f"{folder}/{path.stem}")
    return found


def about(stem: str) -> str:
    """Return the first sentence of the docstring of a module or package."""
    path = ROOT / stem / "__init__.py"
    source = (path if path.is_file() else ROOT / f"{stem}.py").read_text(encoding="utf-8")
    text = " ".join((ast.get_docstring(ast.parse(source)) or "").split("\n\n")[0].split())
    return re.sub(r":\w+:`([^`]*)`|``?([^`]*)``?", r"\1\2", text)


def flow(name: str, beyond: str = "") -> list[tuple[int, str, str]]:
    """Return the files that an action enters, in order: the depth of its layer, file and function.

    Files that the action ``beyond`` enters are left out.
    """
    recorded: dict[str, list[dict[str, str]]] = json.loads(FLOWS.read_text(encoding="utf-8"))
    known = {entry["file"] for entry in recorded[beyond]} if beyond else set()
    depth = {module: k for k, names in enumerate(floors()) for module in names}
    return [
        (depth[entry["file"].split("/")[0].removesuffix(".py")], entry["file"], entry["function"])
        for entry in recorded[name]
        if entry["file"] not in known
    ]


def build() -> list[tuple[int, str, str]]:
    """Return MkDocs' events in order, each with its words, and below it what it calls."""
    from tools.site import events  # which imports this module

    steps = []
    for event, action in vars(events).items():
        if not event.startswith("on_") or event == "on_post_template":  # for the 404 page alone
            continue
        steps.append((0, event, (getdoc(action) or "").partition("\n")[0]))
        steps += [(2, f"{f.__module__}.{f.__name__}", "") for f in _calls(action)]
    return steps


def _calls(function: Any) -> list[Any]:
    """Return what a function calls of other modules of ``tools``, each once, in order.

    Functions of the module itself are followed.
    """
    found = dict[Any, None]()
    for first, name in re.findall(r"\b([a-z_]+)(?:\.([a-z_]+))?\(", getsource(function)):
        called = function.__globals__.get(first)
        called = getattr(called, name, None) if name else called
        module = getattr(called, "__module__", None) or ""
        if module == function.__module__ and isfunction(called) and called is not function:
            found |= dict.fromkeys(_calls(called))
        elif module != function.__module__ and module.startswith("tools."):
            found[called] = None
    return list(found)


NAMES = {"floors": floors, "modules": modules, "about": about, "flow": flow, "build": build}
