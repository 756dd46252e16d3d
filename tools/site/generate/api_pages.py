"""The API pages: what is described, docstrings as Markdown, and links to sources and equations.

mkdocstrings loads this module for ``PrepareDocstrings``. In a docstring, ``U[n][t]`` is an index of
an array and not a link; ``>>>`` starts an example and not a quotation; o_i^{t,n} has a lower and an
upper index; a name that a package exports from its modules is described once, where it is defined.
"""

import pydoc
import re
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from textwrap import dedent
from typing import Any

import griffe

import stbp_edu
from tools import ROOT
from tools.site.generate.source_code import scan
from tools.site.render.notebook_page import folder
from tools.templates import filled

EXAMPLE = re.compile(r"^( *)>>> .*(?:\n\1(?=.*\S).*)*", re.M)  # output may be indented
LISTING = re.compile(r"^(\S.*\n\n)((?: {4}(?!>>>).*\n?|\n(?= {4}))+)", re.M)
ROLE = re.compile(r":(?:func|class|mod|meth|data|attr):`~?([^`]+)`")
CODE = re.compile(r"(```.*?```|``.*?``|`[^`]*`)", re.S)
LOWER = re.compile(
    r"(?<=\w)_(?:\{([^}]*)\}|([ijkst]{1,2}|(?<=V_)th)(?!\w))"
)  # v_th is a name
UPPER = re.compile(r"(?<=[\w}])\^(?:\{([^}]*)\}|\(((?:[^()]|\([^()]*\))*)\)|(\w))")
SIGN = re.compile(r"(?<!\S)([<>]=?|[≥≤→]) (?=\S)")
MINUS = re.compile(r"(?<=\S[ (])-(?![->])")


def read_package() -> griffe.Module:
    """Return the package, with the names that faces export resolved; nothing is imported."""
    return griffe.load("stbp_edu", search_paths=[str(ROOT)], resolve_aliases=True)


def pages(package: griffe.Module) -> dict[str, str]:
    """Return a page for each module at the top of the package, and the index: path to Markdown."""
    exports, modules = _exports(package), _modules(package)
    public = {m.path: names for m in (package, *modules) if (names := _exports(m))}
    index = filled(
        "api_index.md", exports=exports, modules=modules, about=_about, public=public
    )
    made = {"api/index.md": index}
    for module in modules:
        about = re.sub(r":\w+:`([^`]*)`|`+([^`]*)`+", r"\1\2", first_paragraph(module))
        members = [*_exports(module)]
        page = filled("api_module.md", module=module, about=about, members=members)
        made[f"api/{module.name}.md"] = page
    return made


def _modules(package: griffe.Module) -> list[griffe.Module]:
    """Return the modules of a package by name, those for its own use left out."""
    members = (package.members[name] for name in sorted(package.members))
    return [
        m
        for m in members
        if isinstance(m, griffe.Module) and not m.name.startswith("_")
    ]


def _exports(package: griffe.Module) -> dict[str, griffe.Object]:
    """Return what the names in ``__all__`` mean; of the package also what it loads later."""
    names = {*map(str, package.exports or ())}
    found = {name: package.members[name] for name in names & package.members.keys()}
    if package.name == stbp_edu.__name__:
        for name, module in stbp_edu.LATER.items():
            found[name] = package[f"{module}.{name}"]
    members = [found[name] for name in sorted(sorted(found), key=str.lower)]
    return {m.name: m.final_target if m.is_alias else m for m in members}


def first_paragraph(thing: griffe.Object) -> str:
    """Return the first paragraph of a docstring, on one line."""
    text = thing.docstring.value if thing.docstring else ""
    return text.split("\n\n")[0].replace("\n", " ")


def _about(thing: griffe.Object) -> str:
    """Return the first paragraph of a docstring, for a table."""
    text = prepare(first_paragraph(thing)).replace("|", "\\|")
    return re.sub(r" \(ids? [^)]*\)", "", text)


def entry(path: Path) -> str:
    """Return a link from the page of a source file to the API of its module, or its package."""
    parts = PurePosixPath(path.relative_to(ROOT).with_suffix("")).parts
    if parts[0] != stbp_edu.__name__ or parts[1].startswith("_"):
        return ""
    up = "../" * len(parts)
    return f"[API: {parts[1]}]({up}api/{parts[1]}.md)\n{{ .doc-links }}\n\n"


def _links(thing: griffe.Object) -> str:
    """Return what stands above a description: links to the source and to the equations in it."""
    path = thing.filepath.resolve().relative_to(ROOT)
    lines = range(thing.lineno or 1, (thing.endlineno or 1) + 1)
    url = f"../../source/{path.with_suffix('').as_posix()}/#L{thing.lineno or 1}"
    parts = [f'<a href="{url}" aria-label="Source of {thing.path}">source</a>']
    parts += [
        f'<a class="equation-id" href="../../equations/#{id_}">{id_}</a>'
        for id_, places in scan(folder()).items()
        if any(
            place.path == path.as_posix() and place.line in lines
            for place in places["code"]
        )
    ]
    return f'<p class="doc-links" data-search-exclude>{" ".join(parts)}</p>'


class PrepareDocstrings(griffe.Extension):
    """Prepares docstrings, with the help of a setting, and links to sources and equations."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Prepare the docstring of one object, and link what it describes."""
        if obj.docstring:
            obj.docstring.value = f"{_links(obj)}\n\n{prepare(obj.docstring.value)}"

    def on_class_members(self, *, cls: griffe.Class, **_: Any) -> None:
        """Show each setting's default, and its help text in the class's list of attributes."""
        lines = []
        for name, member in cls.attributes.items():
            value = member.value
            if isinstance(value, griffe.ExprCall) and str(value.function) == "_setting":
                member.value = value.arguments[0]
                words = (
                    pydoc.locate(cls.path).__dataclass_fields__[name].metadata["help"]
                )
                lines.append(f"    {name}: {words}.")
        if lines and cls.docstring:
            links, about, rest = cls.docstring.value.split("\n\n", 2)
            attributes = "\n".join(["Attributes:", *lines])
            cls.docstring.value = "\n\n".join([links, about, attributes, rest])


def prepare(text: str) -> str:
    r"""Return the docstring with its examples fenced, and all that is no code set as text.

    >>> prepare("U[n][t] and `O[n][t]`")
    'U[n]\\[t] and `O[n][t]`'
    >>> print(prepare("Its lines:\n\n    o = spike(u - v_th)"))
    Its lines:
    <BLANKLINE>
    ```text
    o = spike(u - v_th)
    ```
    <BLANKLINE>
    """
    text = ROLE.sub(r"`\1`", text)
    text = LISTING.sub(_fenced, text)
    text = EXAMPLE.sub(r"\1```pycon\n\g<0>\n\1```", text)
    parts = CODE.split(text)
    return "".join(p if k % 2 else typeset(p) for k, p in enumerate(parts))


def _fenced(m: re.Match[str]) -> str:
    """Return a paragraph with the indented listing below it as a fenced one."""
    above = m[1].replace("::\n", ":\n")
    return f"{above}```text\n{dedent(m[2]).rstrip()}\n```\n"


def typeset(text: str) -> str:
    """Return text with its indices set as such, long minus signs, and no break after a relation.

    >>> typeset("w_ij^{n-1} = -e^(-o/τ), where v_th: V_th")
    'w<sub>ij</sub><sup>n−1</sup> = −e<sup>−o/τ</sup>, where v_th: V<sub>th</sub>'
    """
    text = LOWER.sub(_index("sub"), UPPER.sub(_index("sup"), text))
    text = SIGN.sub("\\1\N{NO-BREAK SPACE}", MINUS.sub("−", text))
    text = text.replace("][", r"]\[").replace("ᵀ", "<sup>⊤</sup>")
    return text.replace(">= ", "≥\N{NO-BREAK SPACE}")


def _index(tag: str) -> Callable[[re.Match[str]], str]:
    """Return what turns a match into an element that holds its index."""
    return lambda m: f"<{tag}>{m[m.lastindex or 0].replace('-', '−')}</{tag}>"
