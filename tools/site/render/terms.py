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


def linked(html: str, glossary: str) -> str:
    """Return HTML with a link from the first use of each term to its place in the glossary.

    >>> linked("<h2>Gain</h2><p>The gain <em>is</em> a gain.</p>", "../glossary/")
    '<h2>Gain</h2><p>The <a href="../glossary/#gain">gain</a> <em>is</em> a gain.</p>'
    >>> linked('<p><a href="../glossary/#gain">Gains</a> and a gain</p>', "../glossary/")
    '<p><a href="../glossary/#gain">Gains</a> and a gain</p>'
    """
    left = {
        place: re.compile(rf"\b{term}\b", re.IGNORECASE)
        for place, term in TERMS.items()
        if f"glossary/#{place}" not in html
    }
    pieces, inside = PIECE.split(html), 0
    for k, piece in enumerate(pieces):
        if tag := TAG.match(piece):
            if tag[1] in ASIDE:
                inside += -1 if piece[1] == "/" else 1
        elif not inside:
            pieces[k] = _linked(piece, left, glossary)
    return "".join(pieces)


def _linked(text: str, left: dict[str, re.Pattern[str]], glossary: str) -> str:
    """Return a text between two tags with its links; take the terms it has from those left."""
    found = {place: term.search(text) for place, term in left.items()}
    for place, use in sorted(
        ((p, u) for p, u in found.items() if u), key=lambda pair: -pair[1].start()
    ):
        del left[place]
        link = f'<a href="{glossary}#{place}">{use[0]}</a>'
        text = text[: use.start()] + link + text[use.end() :]
    return text
