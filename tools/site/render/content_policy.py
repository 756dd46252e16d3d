"""The Content-Security-Policy of a page: what its scripts, styles and images may come from."""

import base64
import hashlib
import re

INLINE = re.compile(
    r"<script(?![^>]*\bsrc=)(?![^>]*application/(?:ld\+)?json)[^>]*>(.*?)</script>", re.S
)
CHARSET = re.compile(r"""<meta charset=["']?utf-8["']?\s*/?>""", re.I)


def policy(html: str) -> str:
    """Return the policy of a page: nothing from another host, and only the scripts that it has.

    Inline scripts are named by their hashes. MathJax and the figures need inline styles; Pyodide
    compiles WebAssembly; the worker starts from a blob so that it is under this policy too.
    """
    hashes = {
        base64.b64encode(hashlib.sha256(s.encode()).digest()).decode() for s in INLINE.findall(html)
    }
    scripts = " ".join(f"'sha256-{h}'" for h in sorted(hashes))
    return "; ".join(
        (
            "default-src 'self'",
            f"script-src 'self' 'wasm-unsafe-eval' {scripts}",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self'",
            "connect-src 'self'",
            "worker-src 'self' blob:",
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'self'",
        )
    )


def protect(html: str) -> str:
    """Return the page with its policy right after its charset, before anything that it restricts.

    Raises:
        ValueError: if the page does not state its charset.
    """
    meta = f'<meta http-equiv="Content-Security-Policy" content="{policy(html)}">'
    html, count = CHARSET.subn(rf"\g<0>{meta}", html, count=1)
    if not count:
        raise ValueError('a page must have <meta charset="utf-8">: its policy stands after it')
    return html
