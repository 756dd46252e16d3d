"""The drawings of ``docs/architecture.md``, made from the code: layers, folders and flows."""

import ast
import json
import re
import tomllib
from functools import cache
from html import escape

from tools.site import ROOT

FLOWS = ROOT / "docs" / "assets" / "flows.json"  # tests/architecture records them
PLACEHOLDER = re.compile(r"( *)\[\[(\w+)((?: [\w./]+)*)\]\]")
HOOK, CONTENT = "tools.site.hook", "tools.site.site_content"
EVENTS = (
    "on_config", "on_files", "on_page_markdown", "on_page_content", "on_post_page", "on_post_build",
)  # fmt: skip


def fill(markdown: str) -> str:
    """Return the page with a drawing for each placeholder, such as ``[[flow train]]``."""
    drawings = {"layers": layers, "modules": modules, "flow": flow, "build": build, "count": count}

    def drawn(match: re.Match[str]) -> str:
        indent, name, rest = match.groups()
        return indent + drawings[name](*rest.split()).replace("\n", f"\n{indent}")

    return PLACEHOLDER.sub(drawn, markdown)


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
    steps = []
    for event in EVENTS:
        steps.append((0, f"<code>{event}</code> {_first_line(HOOK, event)}"))
        for name in _calls(HOOK, event):
            steps.append((2, f"<code>{name}</code>"))
            module, _, function = name.rpartition(".")
            if module == CONTENT:
                steps += [(4, f"<code>{below}</code>") for below in _calls(CONTENT, function)]
    return _drawn(steps)


def _calls(module: str, function: str) -> list[str]:
    """Return the functions of other modules of ``tools`` that a function calls, each once.

    Functions of the module itself are followed.
    """
    tree = _tree(module)
    own = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    imported = {
        alias.asname or alias.name: f"{node.module}.{alias.name}"
        for node in tree.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    followed, called = [function], dict[str, None]()
    for name in followed:  # grows while functions of the module are found
        for node in (n for n in ast.walk(own[name]) if isinstance(n, ast.Call)):
            head, dot, rest = ast.unparse(node.func).partition(".")
            if head in own and head not in followed:
                followed.append(head)
            elif _defines(*(imported.get(head, "") + dot + rest).rpartition(".")[::2]):
                called[imported[head] + dot + rest] = None
    return list(called)


def _defines(module: str, name: str) -> bool:
    """Return whether a module of ``tools`` defines a function of this name."""
    return name in (getattr(node, "name", "") for node in _tree(module).body)


def _first_line(module: str, function: str) -> str:
    found = next(n for n in _tree(module).body if getattr(n, "name", "") == function)
    return escape((ast.get_docstring(found) or "").split("\n")[0])


@cache
def _tree(module: str) -> ast.Module:
    """Return the code of a module of ``tools``, and none of another."""
    path = ROOT.joinpath(*module.split(".")).with_suffix(".py")
    ours = module.startswith("tools.") and path.is_file()
    return ast.parse(path.read_text(encoding="utf-8") if ours else "")
