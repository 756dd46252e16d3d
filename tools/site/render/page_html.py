"""What every page gets at the end: breaks in long names, and its Content-Security-Policy."""

import base64
import hashlib
import re

from tools.templates import filled

WITHIN = re.compile(r"(?<!<pre>)<code>([^<\n]+)</code>")
ENTITY = re.compile(r"&\w+;")
LONG = 18  # characters
FLAG = re.compile(
    r"(?<=<wbr>)--?\w[\w-]*"
)  # which a browser would break after its dashes
BREAK = re.compile(r"(?<= )|(?<=[^\W\d_][./_\[(])(?=\w)")
INLINE = re.compile(
    r"<script(?![^>]*\bsrc=)(?![^>]*application/(?:ld\+)?json)[^>]*>(.*?)</script>",
    re.S,
)
CHARSET = re.compile(r"""<meta charset=["']?utf-8["']?\s*/?>""", re.I)


def breakable(html: str) -> str:
    """Return HTML in which a long name in a sentence may break between its parts, a short one not.

    >>> breakable("<code>stbp_edu.verify.paths</code> and <code>c3-delta</code>")
    '<code>stbp_<wbr>edu.<wbr>verify.<wbr>paths</code> and <code class="short">c3-delta</code>'
    """
    return WITHIN.sub(_breakable, html)


def _breakable(match: re.Match[str]) -> str:
    code = match[1]
    if len(ENTITY.sub("x", code)) < LONG:
        return f'<code class="short">{code}</code>'
    code = FLAG.sub(r'<span class="short">\g<0></span>', BREAK.sub("<wbr>", code))
    return f"<code>{code}</code>"


def protect(html: str) -> str:
    """Return the page with its policy right after its charset, before anything that it restricts.

    In the policy the inline scripts of the page are named by their hashes.

    Raises:
        ValueError: if the page does not state its charset.
    """
    digests = (
        hashlib.sha256(script.encode()).digest() for script in INLINE.findall(html)
    )
    hashes = sorted({base64.b64encode(digest).decode() for digest in digests})
    policy = "; ".join(filled("policy.txt", hashes=hashes).splitlines())
    meta = f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
    html, count = CHARSET.subn(rf"\g<0>{meta}", html, count=1)
    if not count:
        raise ValueError(
            'a page must have <meta charset="utf-8">: its policy stands after it'
        )
    return html
