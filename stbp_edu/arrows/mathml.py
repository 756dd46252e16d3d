"""The formulas of ``stbp_edu.arrows.formulas`` as MathML, which browsers draw and read out."""

import re
from collections.abc import Iterator
from html import escape

from stbp_edu.arrows.lines.expressions import GREEK, NAMED

TOKEN = re.compile(r"\\[a-zA-Z]+|\\_|[^\W\d_]|\d+(?:\.\d+)?|\S")
GREEK_LETTERS = "αβγδεζηθικλμνξπρστυφχψωΓΔΘΛΞΠΣΦΨΩ"
COMMANDS = {
    **{NAMED[name][1:]: letter for name, letter in zip(GREEK, GREEK_LETTERS, strict=True)},
    **dict(partial="∂", sum="∑", geq="≥", cdot="·", left="", right="", _="_", epsilon="ε"),
}
FUNCTIONS = ("log", "tanh", "min", "max")


def mathml(tex: str) -> str:
    r"""Return a formula as one ``<math>`` element.

    Known are letters, digits, signs, Greek letters, ``\partial``, ``\sum``, ``\frac``, ``\sqrt``,
    ``\bar``, ``\mathrm``, the functions of forward lines, primes and indices.

    >>> mathml(r"\tau o_i^{t}")
    '<math><mi>τ</mi><msubsup><mi>o</mi><mi>i</mi><mrow><mi>t</mi></mrow></msubsup></math>'

    Raises:
        ValueError: if a command is not known.
    """
    return f"<math>{_row(iter(TOKEN.findall(tex)))}</math>"


def _row(tokens: Iterator[str]) -> str:
    """Return what stands up to the closing brace, or the end."""
    row: list[tuple[str, dict[str, str]]] = []  # each thing, and its index and exponent
    for token in tokens:
        if token == "}":
            break
        if token in "_^":
            row[-1][1][token] = _one(next(tokens), tokens)
        else:
            row.append((_one(token, tokens), {}))
    written = []
    for base, scripts in row:
        below, above = scripts.get("_", ""), scripts.get("^", "")
        tag = "m" + "sub" * bool(below) + "sup" * bool(above)
        written.append(f"<{tag}>{base}{below}{above}</{tag}>" if scripts else base)
    return "".join(written)


def _one(token: str, tokens: Iterator[str]) -> str:
    """Return what one token begins: a group, a fraction, a letter, a number or a sign."""
    if token == "'":
        return '<mo lspace="0" rspace="0">′</mo>'
    if token == "{":
        return f"<mrow>{_row(tokens)}</mrow>"
    if token == r"\frac":
        above, below = (_one(next(tokens), tokens) for _ in range(2))
        return f"<mfrac>{above}{below}</mfrac>"
    if token == r"\sqrt":
        return f"<msqrt>{_one(next(tokens), tokens)}</msqrt>"
    if token == r"\bar":
        return f"<mover>{_one(next(tokens), tokens)}<mo>¯</mo></mover>"
    if token == r"\mathrm":
        next(tokens)
        text = "".join(iter(tokens.__next__, "}")).replace("\\_", "_")
        return f"<mtext>{escape(text)}</mtext>"
    if token[1:] in FUNCTIONS:
        return f"<mi>{token[1:]}</mi>"
    if token.startswith("\\") and token[1:] not in COMMANDS:
        raise ValueError(f"{token} is not known here; add it to COMMANDS in {__name__}")
    sign = COMMANDS.get(token[1:], token.replace("-", "−"))
    if not sign:
        return ""
    tag = "mn" if sign[0].isdigit() else "mi" if sign.isalpha() or sign == "∂" else "mo"
    return f"<{tag}>{escape(sign)}</{tag}>"
