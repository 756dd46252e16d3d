"""Docstrings as the Markdown that mkdocstrings expects.

``U[n][t]`` is an index of an array and not a link; ``>>>`` starts an example and not a quotation;
o_i^{t,n} has a lower and an upper index; a name that a package exports from its modules is
described once, where it is defined.
"""

import pydoc
import re
from collections.abc import Callable
from typing import Any

import griffe

EXAMPLE = re.compile(r"^( *)>>> .*(?:\n\1(?=.*\S).*)*", re.M)  # output may be indented
RULE = r"=+(?:  +=+)+ *"
TABLE = re.compile(rf"^( *)({RULE})\n(.*\n)\1{RULE}\n((?:.*\n)+?)\1{RULE}$", re.M)
ROLE = re.compile(r":(?:func|class|mod|meth|data|attr):`~?([^`]+)`")
CODE = re.compile(r"(```.*?```|``.*?``|`[^`]*`)", re.S)
LOWER = re.compile(r"(?<=\w)_(?:\{([^}]*)\}|([ijkst]{1,2}|(?<=V_)th)(?!\w))")  # v_th is a name
UPPER = re.compile(r"(?<=[\w}])\^(?:\{([^}]*)\}|\(((?:[^()]|\([^()]*\))*)\)|(\w))")
SIGN = re.compile(r"(?<!\S)([<>]=?|[≥≤→]) (?=\S)")
MINUS = re.compile(r"(?<=\S[ (])-(?![->])")


class PrepareDocstrings(griffe.Extension):
    """Prepares docstrings, and leaves out the names that a module only imports."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Prepare the docstring of one object."""
        if obj.docstring:
            obj.docstring.value = prepare(obj.docstring.value)

    def on_class_members(self, *, cls: griffe.Class, **_: Any) -> None:
        """Show each setting's default, and its help text in the class's list of attributes."""
        lines = []
        for name, member in cls.attributes.items():
            value = member.value
            if isinstance(value, griffe.ExprCall) and str(value.function) == "_setting":
                member.value = value.arguments[0]
                words = pydoc.locate(cls.path).__dataclass_fields__[name].metadata["help"]
                lines.append(f"    {name}: {words}.")
        if lines and cls.docstring:
            about, _, rest = cls.docstring.value.partition("\n\n")
            cls.docstring.value = "\n".join([about, "", "Attributes:", *lines, "", rest])

    def on_package(self, *, pkg: griffe.Module, **_: Any) -> None:
        """Leave out the names that a module below the top imports, also for its ``__all__``."""
        for module in pkg.modules.values():
            if not module.is_alias:
                for name in [name for name, member in module.members.items() if member.is_alias]:
                    module.members[name].public = False
                self.on_package(pkg=module)


def prepare(text: str) -> str:
    r"""Return the docstring with its examples fenced, and all that is no code set as text.

    >>> prepare("U[n][t] and `O[n][t]`")
    'U[n]\\[t] and `O[n][t]`'
    """
    text = ROLE.sub(r"`\1`", TABLE.sub(_table, text))
    text = EXAMPLE.sub(r"\1```pycon\n\g<0>\n\1```", text)
    parts = CODE.split(text)
    return "".join(p if k % 2 else typeset(p) for k, p in enumerate(parts))


def typeset(text: str) -> str:
    """Return text with its indices set as such, long minus signs, and no break after a relation.

    >>> typeset("w_ij^{n-1} = -e^(-o/τ), where v_th: V_th")
    'w<sub>ij</sub><sup>n−1</sup> = −e<sup>−o/τ</sup>, where v_th: V<sub>th</sub>'
    """
    text = LOWER.sub(_index("sub"), UPPER.sub(_index("sup"), text))
    text = SIGN.sub("\\1\N{NO-BREAK SPACE}", MINUS.sub("−", text))
    return (
        text.replace("][", r"]\[")
        .replace("ᵀ", "<sup>⊤</sup>")
        .replace(">= ", "≥\N{NO-BREAK SPACE}")
    )


def _index(tag: str) -> Callable[[re.Match[str]], str]:
    """Return what turns a match into an element that holds its index."""
    return lambda m: f"<{tag}>{m[m.lastindex or 0].replace('-', '−')}</{tag}>"


def _table(match: re.Match[str]) -> str:
    """Return a table that is ruled with equal signs as Markdown writes it."""
    pad = match[1]
    starts = [column.start() for column in re.finditer("=+", match[2])]
    spans = list(zip(starts, [*starts[1:], None], strict=True))
    rows = [line.removeprefix(pad) for line in (match[3] + match[4]).splitlines()]
    lines = [f"{pad}| " + " | ".join(row[a:b].strip() for a, b in spans) + " |" for row in rows]
    return "\n".join(["", lines[0], f"{pad}|" + "---|" * len(spans), *lines[1:]])
