"""Formulas in the HTML of a page: spoken words, and anchors and links for tagged equations.

The words are made at build time by the speech rule engine, so that a page need not load it.
"""

import json
import re
import subprocess
import tomllib
from collections.abc import Iterable, Mapping
from html import escape, unescape
from pathlib import Path

from tools.site import CACHE
from tools.site.assets.npm import modules, node

FORMULA = re.compile(r'<(div|span) class="arithmatex">(.*?)</\1>', re.S)
SHORT = 30  # characters of TeX; a shorter formula is never broken over two lines
TAG = re.compile(r"\s*\\tag\{([^}]*)\}")
KNOWN = CACHE / "speech.json"  # the words of earlier builds
SPEECH = Path(__file__).with_name("speech.toml")
BETTER = tomllib.loads(SPEECH.read_text(encoding="utf-8"))["better"]


def better(speech: str) -> str:
    """Return speech in the course's words.

    >>> better("delta sub i raised to the T comma N power")
    'delta sub i super T comma N'
    >>> better("o to the first power, u squared, z squared")
    'o super 1, u super 2, z squared'
    """
    for pattern, words in BETTER:
        speech = re.sub(pattern, words, speech)
    return " ".join(speech.split())


def spoken(formulas: Iterable[str], path: Path = KNOWN) -> tuple[dict[str, str], dict[str, str]]:
    """Return formulas in words, and what is wrong with those that TeX rejects; both by formula."""
    words: dict[str, str] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    rejected, new = {}, [tex for tex in formulas if tex not in words]
    if new:
        command = [node(), Path(__file__).with_name("speech.mjs"), modules().parent]
        asked = "".join(json.dumps(tex) + "\n" for tex in new)
        said = subprocess.run(
            [*map(str, command)], input=asked, stdout=subprocess.PIPE, check=True, encoding="utf-8"
        ).stdout
        for tex, answer in zip(new, map(json.loads, said.strip().split("\n")), strict=True):
            if "error" in answer:
                rejected[tex] = answer["error"]
            else:
                words[tex] = answer["speech"]
        text = json.dumps(words, ensure_ascii=False, sort_keys=True, indent=0)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return {tex: better(speech) for tex, speech in words.items()}, rejected


def _tex(content: str) -> str:
    return unescape(re.sub(r"^\s*\\[(\[]|\\[)\]]\s*$", "", content))


def _untagged(tex: str) -> str:
    return " ".join(TAG.sub("", tex).split())


def formulas(html: str) -> list[str]:
    """Return the formulas of a page without their tags."""
    return [_untagged(_tex(content)) for _, content in FORMULA.findall(html)]


def transform(html: str, words: Mapping[str, str], equations: str, known: set[str]) -> str:
    """Return the HTML with every formula named, and tagged equations anchored and linked.

    Args:
        html: of one page.
        words: of each formula; one that has none is named by its TeX.
        equations: the equations page as seen from this page.
        known: the ids that the equations page has.
    """
    seen: dict[str, int] = {}

    def formula(match: re.Match[str]) -> str:
        kind, content = match[1], match[2]
        tex = _tex(content)
        tag, bare = TAG.search(tex), TAG.sub("", tex)
        name = escape(words.get(_untagged(tex), bare))
        kinds = "arithmatex" + " short" * (len(bare) <= SHORT)
        head = f'<{kind} class="{kinds}" role="img" aria-label="{name}" data-search-exclude>'
        if not tag:
            return f"{head}{content}</{kind}>"
        id_ = tag[1]
        seen[id_] = seen.get(id_, 0) + 1
        anchor = f"eq-{id_}" + (f"-{seen[id_]}" if seen[id_] > 1 else "")
        body = f"{head}\\[{escape(bare.strip(), quote=False)}\\]</{kind}>"
        return f'<div class="equation" id="{anchor}">{body}{_link(id_, equations, known)}</div>'

    return FORMULA.sub(formula, html)


def _link(id_: str, equations: str, known: set[str]) -> str:
    """Return the id beside the equation: a link to all its places where it is registered."""
    if id_ not in known:
        return f'<span class="equation-id">{escape(id_)}</span>'
    label = f"Equation {id_}: where it is derived, computed and tested"
    return f'<a class="equation-id" href="{equations}#{id_}" aria-label="{label}">{id_}</a>'
