"""Formulas in the HTML of a page: spoken words, and anchors and links for tagged equations.

The words are made at build time by the speech rule engine, so that a page need not load it; a
formula that TeX rejects is a problem that the build reports, with the page's name.
"""

import json
import re
import subprocess
from html import escape, unescape
from pathlib import Path

from tools.site import CACHE
from tools.site.assets.npm import modules, node

FORMULA = re.compile(r'<(div|span) class="arithmatex">(.*?)</\1>', re.S)
SHORT = 30  # characters of TeX; a shorter formula is never broken over two lines
TAG = re.compile(r"\s*\\tag\{([^}]*)\}")


class Speaker:
    """Turns TeX into words, and keeps them in a file for the next build.

    Attributes:
        known: words by formula.
        problems: a line for each formula that TeX rejects.
    """

    def __init__(self, path: Path = CACHE / "speech.json") -> None:
        self.path = path
        known = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        self.known: dict[str, str] = known
        self.problems: list[str] = []
        self.process: subprocess.Popen[str] | None = None

    def say(self, tex: str, where: str) -> str:
        """Return a formula in words; ``where`` is the page that it is on."""
        tex = " ".join(tex.split())
        if tex not in self.known:
            answer = self._ask(tex)
            if "error" in answer:
                self.problems.append(f"{where}: TeX rejects {tex}: {answer['error']}")
                return tex
            self.known[tex] = answer["speech"]
        return better(self.known[tex])

    def _ask(self, tex: str) -> dict[str, str]:
        if self.process is None:
            self.process = subprocess.Popen(
                [str(node()), str(Path(__file__).with_name("speech.mjs")), str(modules().parent)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8",
            )  # fmt: skip
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps(tex) + "\n")
        self.process.stdin.flush()
        answer: dict[str, str] = json.loads(self.process.stdout.readline())
        return answer

    def close(self) -> None:
        """End the process that speaks, and write the words to the file."""
        if self.process and self.process.stdin and self.process.stdout:
            self.process.stdin.close()
            self.process.stdout.close()
            self.process.wait()
            self.process = None
        self.path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(self.known, ensure_ascii=False, sort_keys=True, indent=0)
        self.path.write_text(text, encoding="utf-8")


INDEXED = r"\b([ouW]|delta|epsilon|[wb] sub [\w ]{1,4}?) "  # what has steps and layers, not powers
BETTER = (  # superscripts here are indices, not powers; a transpose is a transpose
    (r"normal triangle", "capital delta"),
    (r"raised to the exponent normal down tack end exponent", "transposed"),
    (r"raised to the normal down tack power", "transposed"),
    (r"normal down tack", "transposed"),
    (r"raised to the (.{1,24}?) power", r"super \1"),
    (INDEXED + "squared", r"\1 super 2"),
    (INDEXED + "cubed", r"\1 super 3"),
    (INDEXED + r"to the (\w+?)(?:-th)? power", r"\1 super \2"),
    (r"to the ([tn])-th power", r"super \1"),
    ("super first", "super 1"),
    (r"the metric of times sub 2 squared", "the square of the norm"),
    (r"the metric of (.*?)(?: sub 2)? squared", r"the square of the norm of \1"),
    (r"the metric of", "the norm of"),
    (r"circled dot", "times, entry by entry,"),
    (r"normal (?=[A-Z])", ""),
)


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


def transform(html: str, speaker: Speaker, where: str, equations: str, known: set[str]) -> str:
    """Return the HTML with every formula named, and tagged equations anchored and linked.

    Args:
        html: of one page.
        speaker: gives the words.
        where: the page's name, for messages.
        equations: the equations page as seen from this page.
        known: the ids that the equations page has.
    """
    seen: dict[str, int] = {}

    def formula(match: re.Match[str]) -> str:
        kind, content = match[1], match[2]
        tex = unescape(re.sub(r"^\s*\\[(\[]|\\[)\]]\s*$", "", content))
        tag = TAG.search(tex)
        bare = TAG.sub("", tex)
        name = escape(speaker.say(bare, where))
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
