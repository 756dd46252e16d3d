"""What ``docs/architecture.md`` draws, read from the code: its layers."""

import ast
import re

from stbp_edu._support.files import read_text, read_toml
from tools import ROOT


def floors() -> list[list[str]]:
    """Return the layers of the package that lint-imports enforces, the top first."""
    contracts = read_toml(ROOT / "pyproject.toml")["tool"]["importlinter"]["contracts"]
    contract = next(c for c in contracts if "layers" in c)
    return [[name.strip() for name in layer.split("|")] for layer in contract["layers"]]


def about(stem: str) -> str:
    """Return the first sentence of the docstring of a module or package."""
    path = ROOT / stem / "__init__.py"
    source = read_text(path if path.is_file() else ROOT / f"{stem}.py")
    text = " ".join(
        (ast.get_docstring(ast.parse(source)) or "").split("\n\n")[0].split()
    )
    return re.sub(r":\w+:`([^`]*)`|``?([^`]*)``?", r"\1\2", text)


NAMES = {"floors": floors, "about": about}
