"""Jupyter's Markdown as Python-Markdown reads it, and as plain text."""

import re

GREEK = {
    "alpha": "α", "beta": "β", "delta": "δ", "Delta": "Δ", "epsilon": "ε", "varepsilon": "ε",
    "tau": "τ", "partial": "∂", "sum": "Σ", "odot": "⊙", "top": "ᵀ", "cdot": "·", "leq": "≤",
    "geq": "≥", "geqslant": "≥", "to": "→", "times": "×", "infty": "∞", "neq": "≠",
}  # fmt: skip


def plain(markdown: str) -> str:
    r"""Return Markdown as plain text for titles: links, emphasis and TeX reduced to characters.

    >>> plain(r"What is $\delta^{t,n}$ in `code`?")
    'What is δ^t,n in code?'
    """
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", markdown)
    text = re.sub(r"\\\(|\\\)|\\\[|\\\]|\$+|\*\*|(?<!\w)[*_]|[*_](?!\w)|`|<[^>]+>", "", text)
    text = re.sub(r"\\([A-Za-z]+)", lambda m: GREEK.get(m[1], ""), text)
    return re.sub(r"[{}\\]", "", text).strip()


LIST_ITEM = re.compile(r"^\s*([-*+]|\d+[.)])\s+\S")


def commonmark(source: str) -> str:
    """Return Jupyter's Markdown as Python-Markdown reads it: blank lines, indents, display maths.

    Code fences are left alone.
    """
    out: list[str] = []
    fenced = False
    for line in re.sub(r"\\tag\s*\{", r"\\tag{", _display(source)).split("\n"):
        before = out[-1] if out else ""
        if re.match(r"\s*(```|~~~)", line):
            if not fenced and before.strip():
                out.append("")
            fenced = not fenced
        elif not fenced:
            item = bool(LIST_ITEM.match(line))
            starts = item and before.strip() and not LIST_ITEM.match(before) and before[:1] != " "
            table = line.startswith("|") and before.strip() and not before.startswith("|")
            if starts or table:
                out.append("")
            line = re.sub(r"^( {2,3})(?=\S)", "    ", line) if (before or item) else line
        out.append(line)
    return "\n".join(out)


def _display(source: str) -> str:
    """Put each ``$$ ... $$`` outside code into a block of its own, at the indent of its line."""

    def block(match: re.Match[str]) -> str:
        if match[1]:
            return match[1]
        indent = re.match(r"\s*", source[source.rfind("\n", 0, match.start()) + 1 :])
        pad = " " * (4 if indent and indent[0] else 0)
        body = "\n".join(pad + row.strip() for row in match[2].strip().split("\n"))
        return f"\n\n{pad}$$\n{body}\n{pad}$$\n\n"

    return re.sub(r"(```.*?```|~~~.*?~~~|`[^`\n]+`)|\$\$(.+?)\$\$", block, source, flags=re.S)
