"""The first use of a term on a page leads to its entry in the glossary."""

import re

PIECE = re.compile(
    r"""(<(?:span|div) class=["']arithmatex["']>.*?</(?:span|div)>|<[^>]*>)""", re.S
)  # a formula, or a tag
TAG = re.compile(r"</?([a-z][\w-]*)")
ASIDE = {
    "a",
    "button",
    "code",
    "details",
    "h1",
    "h2",
    "h3",
    "h4",
    "pre",
    "script",
    "summary",
    "svg",
    "th",
}
"""Text in these elements is no prose, or is a link or folded already."""
TERMS = {
    "adjoint": r"adjoints?",
    "classic-rule": r"classic rule",
    "eligibility-trace": r"eligibility traces?",
    "exact-rule": r"exact rule",
    "forget-gate": r"forget gate",
    "gain": r"gains?(?! limit)",
    "incoming-error-err": r"incoming error",
    "pencil-network": r"pencil network",
    "smooth-twin": r"(?:smooth )?twin",
}
"""The terms that this course uses in its own way, by their places in the glossary."""


USE = re.compile("|".join(rf"\b({term})\b" for term in TERMS.values()), re.IGNORECASE)


def linked(html: str, glossary: str) -> str:
    """Return HTML with a link from the first use of each term to its place in the glossary.

    >>> linked("<h2>Gain</h2><p>The gain <em>is</em> a gain.</p>", "../glossary/")
    '<h2>Gain</h2><p>The <a href="../glossary/#gain">gain</a> <em>is</em> a gain.</p>'
    >>> linked('<p><a href="../glossary/#gain">Gains</a> and a gain</p>', "../glossary/")
    '<p><a href="../glossary/#gain">Gains</a> and a gain</p>'
    """
    left = [place for place in TERMS if f"glossary/#{place}" not in html]

    def link(use: re.Match[str]) -> str:
        place = [*TERMS][(use.lastindex or 0) - 1]
        if place not in left:
            return use[0]
        left.remove(place)
        return f'<a href="{glossary}#{place}">{use[0]}</a>'

    pieces, inside = PIECE.split(html), 0
    for k, piece in enumerate(pieces):
        if tag := TAG.match(piece):
            if tag[1] in ASIDE:
                inside += -1 if piece[1] == "/" else 1
        elif not inside:
            pieces[k] = USE.sub(link, piece)
    return "".join(pieces)
