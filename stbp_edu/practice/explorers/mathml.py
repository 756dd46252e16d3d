"""The formulas of ``stbp_edu.arrows.formulas`` as MathML, which browsers draw and read out."""

import re
from collections.abc import Iterator

TOKEN = re.compile(r"\\[a-zA-Z]+|[a-zA-Z]|\d+|\S")
COMMANDS = {
    **dict(alpha="α", beta="β", gamma="γ", delta="δ", varepsilon="ε", zeta="ζ", rho="ρ", tau="τ"),
    **{"partial": "∂", "sum": "∑"},
}


def mathml(tex: str) -> str:
    r"""Return a formula as one ``<math>`` element.

    Known are letters, digits, signs, Greek letters, ``\partial``, ``\sum``, ``\frac``,
    ``\mathrm``, primes and indices.

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
    return "".join(_scripts(base, scripts) for base, scripts in row)


def _scripts(base: str, scripts: dict[str, str]) -> str:
    """Return a thing with its index and its exponent, where it has them."""
    below, above = scripts.get("_", ""), scripts.get("^", "")
    if not scripts:
        return base
    tag = "m" + "sub" * bool(below) + "sup" * bool(above)
    return f"<{tag}>{base}{below}{above}</{tag}>"


def _one(token: str, tokens: Iterator[str]) -> str:
    """Return what one token begins: a group, a fraction, a letter, a number or a sign."""
    if token == "'":
        return '<mo lspace="0" rspace="0">′</mo>'
    if token == "{":
        return f"<mrow>{_row(tokens)}</mrow>"
    if token == r"\frac":
        above, below = (_one(next(tokens), tokens) for _ in range(2))
        return f"<mfrac>{above}{below}</mfrac>"
    if token == r"\mathrm":
        next(tokens)
        return f"<mtext>{''.join(iter(tokens.__next__, '}'))}</mtext>"
    if token.startswith("\\") and token[1:] not in COMMANDS:
        raise ValueError(f"{token} is not known here; add it to COMMANDS in {__name__}")
    sign = COMMANDS.get(token[1:], token.replace("-", "−"))
    tag = "mn" if sign.isdigit() else "mi" if sign.isalpha() or sign == "∂" else "mo"
    return f"<{tag}>{sign}</{tag}>"
