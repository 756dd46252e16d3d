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

from stbp_edu._support.equations import EQUATIONS
from stbp_edu._support.files import read_json, read_toml, write_json
from tools.site import CACHE
from tools.site.assets.npm import modules, node
from tools.templates import filled

FORMULA = re.compile(r'<(div|span) class="arithmatex">(.*?)</\1>', re.S)
SHORT = 30  # characters of TeX; a shorter formula is never broken over two lines
TAG = re.compile(r"\s*\\tag\{([^}]*)\}")
KNOWN = CACHE / "speech.json"  # the words of earlier builds
BETTER = read_toml(Path(__file__).with_name("speech.toml"))["better"]


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


def spoken(formulas: Iterable[str]) -> tuple[dict[str, str], dict[str, str]]:
    """Return formulas in words, and what is wrong with those that TeX rejects; both by formula."""
    words = read_json(KNOWN) if KNOWN.is_file() else {}
    rejected, new = {}, [tex for tex in formulas if tex not in words]
    if new:
        command = [node(), Path(__file__).with_name("speech.mjs"), modules().parent]
        asked = "".join(json.dumps(tex) + "\n" for tex in new)
        options = {"stdout": subprocess.PIPE, "check": True, "encoding": "utf-8"}
        said = subprocess.run([*map(str, command)], input=asked, **options).stdout
        for tex, answer in zip(
            new, map(json.loads, said.strip().split("\n")), strict=True
        ):
            if "error" in answer:
                rejected[tex] = answer["error"]
            else:
                words[tex] = answer["speech"]
        write_json(KNOWN, words)
    return {tex: better(speech) for tex, speech in words.items()}, rejected


def _tex(content: str) -> str:
    return unescape(re.sub(r"^\s*\\[(\[]|\\[)\]]\s*$", "", content))


def _untagged(tex: str) -> str:
    return " ".join(TAG.sub("", tex).split())


def formulas(html: str) -> list[str]:
    """Return the formulas of a page without their tags."""
    return [_untagged(_tex(content)) for _, content in FORMULA.findall(html)]


def transform(html: str, words: Mapping[str, str], depth: int) -> str:
    """Return the HTML with every formula named, and tagged equations anchored and linked.

    A formula without words is named by its TeX. The page lies so many folders deep.
    """
    equations, seen = f"{'../' * depth}equations/", Counter[str]()

    def formula(match: re.Match[str]) -> str:
        kind, content = match.groups()
        tex = _tex(content)
        tag, bare = TAG.search(tex), TAG.sub("", tex)
        id_ = tag[1] if tag else ""
        seen[id_] += 1
        anchor = f"eq-{id_}"
        if seen[id_] > 1:
            anchor += f"-{seen[id_]}"
        if tag:
            content = f"\\[{escape(bare.strip(), quote=False)}\\]"
        return filled(
            "formula.html", kind=kind, content=content, name=words.get(_untagged(tex), bare),
            short=len(bare) <= SHORT, id=id_, known=id_ in EQUATIONS, equations=equations,
            anchor=anchor,
        )  # fmt: skip

    return FORMULA.sub(formula, html)
