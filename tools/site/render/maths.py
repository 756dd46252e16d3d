"""Formulas in the HTML of a page: spoken words, and anchors and links for tagged equations.

The words are made at build time by the speech rule engine, so that a page need not load it.
"""

import json
import re
import subprocess
from collections import Counter
from collections.abc import Iterable, Mapping
from html import escape, unescape
from pathlib import Path

from stbp_edu.files import read_json, read_toml, write_json
from tools.site import CACHE
from tools.site.assets.npm import modules, node
from tools.templates import filled

FORMULA = re.compile(r'<(div|span) class="arithmatex">(.*?)</\1>', re.S)
SHORT = 30  # characters of TeX; a shorter formula is never broken over two lines
TAG = re.compile(r"\s*\\tag\{([^}]*)\}")
KNOWN = CACHE / "speech.json"  # the words of earlier builds
SPEECH = Path(__file__).with_name("speech.toml")
BETTER = read_toml(SPEECH)["better"]


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
    words = read_json(path) if path.is_file() else {}
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
        write_json(path, words)
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
    seen: Counter[str] = Counter()

    def formula(match: re.Match[str]) -> str:
        kind, content = match.groups()
        tex = _tex(content)
        tag, bare = TAG.search(tex), TAG.sub("", tex)
        name = words.get(_untagged(tex), bare)
        id_ = tag[1] if tag else ""
        seen[id_] += 1
        anchor = f"eq-{id_}" + f"-{seen[id_]}" * (seen[id_] > 1)
        if tag:
            content = f"\\[{escape(bare.strip(), quote=False)}\\]"
        names = {"short": len(bare) <= SHORT, "id": id_, "anchor": anchor, "known": id_ in known}
        return filled(
            "formula.html", kind=kind, content=content, name=name, equations=equations, **names
        )

    return FORMULA.sub(formula, html)
