"""What ``docs/architecture.md`` draws, read from the code: layers, folders and flows."""

import ast
import re
from inspect import getdoc

from stbp_edu._support.files import read_json, read_text, read_toml
from tools import ROOT

FLOWS = ROOT / "docs" / "assets" / "flows.json"  # tests/architecture records them


def floors() -> list[list[str]]:
    """Return the layers of the package that lint-imports enforces, the top first."""
    contracts = read_toml(ROOT / "pyproject.toml")["tool"]["importlinter"]["contracts"]
    contract = next(c for c in contracts if "layers" in c)
    return [[name.strip() for name in layer.split("|")] for layer in contract["layers"]]


def modules(folder: str) -> dict[str, str]:
    """Return the modules and folders below a folder, each with what it is for."""
    found = {}
    for path in sorted((ROOT / folder).iterdir()):
        package = (path / "__init__.py").is_file()
        if package or (path.suffix == ".py" and not path.stem.startswith("__")):
            found[f"{path.name}/" if package else path.name] = about(
                f"{folder}/{path.stem}"
            )
    return found


def about(stem: str) -> str:
    """Return the first sentence of the docstring of a module or package."""
    path = ROOT / stem / "__init__.py"
    source = read_text(path if path.is_file() else ROOT / f"{stem}.py")
    text = " ".join(
        (ast.get_docstring(ast.parse(source)) or "").split("\n\n")[0].split()
    )
    return re.sub(r":\w+:`([^`]*)`|``?([^`]*)``?", r"\1\2", text)


def flow(name: str, beyond: str = "") -> list[tuple[int, str, str]]:
    """Return the files that an action enters, in order: the depth of its layer, file and function.

    Files that the action ``beyond`` enters are left out.
    """
    recorded = read_json(FLOWS)
    known = {entry["file"] for entry in recorded[beyond]} if beyond else set()
    depth = {module: k for k, names in enumerate(floors()) for module in names}
    return [
        (
            depth[entry["file"].split("/")[0].removesuffix(".py")],
            entry["file"],
            entry["function"],
        )
        for entry in recorded[name]
        if entry["file"] not in known
    ]


def build() -> list[tuple[str, str]]:
    """Return MkDocs' events in order, each with its words."""
    from tools.site import events  # which imports this module

    found = [
        (name, action)
        for name, action in vars(events).items()
        if name.startswith("on_")
    ]
    return [(name, (getdoc(action) or "").partition("\n")[0]) for name, action in found]


NAMES = {
    "floors": floors,
    "modules": modules,
    "about": about,
    "flow": flow,
    "build": build,
}
