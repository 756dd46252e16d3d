"""The API pages: a directive for each module, and an index of the public names."""

import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import griffe

from tools.site import ROOT
from tools.site.generate import front
from tools.site.generate.docstrings import prepare
from tools.site.generate.package_source import first_paragraph

HEAD = "| name | what it is |\n|---|---|\n"
DIRECTIVE = """
::: {path}
    options: {{ heading: {short}, toc_label: {name}, heading_level: {level} }}
"""
INTRO = (
    "`import stbp_edu` gives the names in the first table. Each leads to its description, and "
    "that to the source and, where there are some, to the equations.\n\n"
)


def pages(package: griffe.Module) -> dict[str, str]:
    """Return a page for each module at the top of the package: path to Markdown."""
    made = {}
    for module in _modules(package):
        about = re.sub(r":\w+:`([^`]*)`|`+([^`]*)`+", r"\1\2", first_paragraph(module))
        head = front(module.name, f"{module.path}: {about}", tags=["reference"], hide=["tags"])
        head = head.rpartition("\n# ")[0]  # mkdocstrings writes the heading
        parts = "".join(map(_directive, _described(module, set())))
        made[f"api/{module.name}.md"] = f"{head}\n::: {module.path}\n{parts}"
    return made


def _directive(module: griffe.Module) -> str:
    """Return what describes a module on the page of its package."""
    short = module.path.removeprefix("stbp_edu.")
    level = 1 + short.count(".")
    return DIRECTIVE.format(path=module.path, short=short, name=module.name, level=level)


def _described(package: griffe.Module, exported: set[str]) -> Iterator[griffe.Module]:
    """Yield the modules that a package's page describes.

    These are the modules that define what the package, or one around it, names in ``__all__``; all
    of them if there is no such name.

    Args:
        package: to look into.
        exported: the full names that the packages around it export.
    """
    names = {_target(package.members[n]).path for n in _exports(package)}
    exported = exported | names
    for module in _modules(package):
        defines = any(f"{name}.".startswith(f"{module.path}.") for name in exported)
        if defines or not exported:
            yield module
            yield from _described(module, exported)


def _target(member: griffe.Object | griffe.Alias) -> griffe.Object:
    """Return what a name stands for, through the faces that pass it on."""
    target = member.final_target if isinstance(member, griffe.Alias) else member
    assert isinstance(target, griffe.Object)
    return target


def _modules(package: griffe.Module) -> list[griffe.Module]:
    """Return the modules of a package by name, those for its own use left out."""
    members = (package.members[name] for name in sorted(package.members))
    return [m for m in members if isinstance(m, griffe.Module) and not m.name.startswith("_")]


def _exports(package: griffe.Module) -> list[str]:
    """Return the names in ``__all__``, without modules that the face does not import."""
    names = (str(name) for name in package.exports or ())
    return sorted((name for name in names if name in package.members), key=str.lower)


def index(package: griffe.Module) -> str:
    """Return the first page of the API, below its title: the public names, then the modules."""
    text = INTRO + HEAD
    for name in _exports(package):
        target = _target(package.members[name])
        link = f"{target.path.split('.')[1]}.md#{target.path}"
        text += f"| [`{name}`]({link}) | {_about(target)} |\n"
    text += f"\n## Modules\n\n{HEAD}"
    for module in _modules(package):
        text += f"| [`{module.name}`]({module.name}.md) | {_about(module)} |\n"
    return text


def _about(thing: griffe.Object) -> str:
    """Return the first paragraph of a docstring, for a table."""
    text = prepare(first_paragraph(thing)).replace("|", "\\|")
    return re.sub(r" \(ids? [^)]*\)", "", text)


def entry(path: Path, pages: dict[str, str]) -> str:
    """Return a link from the page of a source file to the API of its module, or its package."""
    parts = PurePosixPath(path.relative_to(ROOT).with_suffix("")).parts
    name, up = ".".join(parts).removesuffix(".__init__"), "../" * len(parts)
    while "." in name:
        page = f"api/{name.split('.')[1]}.md"
        if f"::: {name}\n" in pages.get(page, ""):
            return f"[API: {name}]({up}{page}#{name})\n{{ .doc-links }}\n\n"
        name = name.rpartition(".")[0]
    return f"[API]({up}api/index.md)\n{{ .doc-links }}\n\n" if name == "stbp_edu" else ""
