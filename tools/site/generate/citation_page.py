"""The page on how to cite, made from CITATION.cff."""

from __future__ import annotations

from typing import Any

import yaml

from tools.site import ROOT
from tools.site.generate.front_matter import front

PAPER = """## The paper behind the course

Y. Wu, L. Deng, G. Li, J. Zhu, L. Shi. *Spatio-Temporal Backpropagation for Training
High-Performance Spiking Neural Networks.* Frontiers in Neuroscience 12:331, 2018.
[doi:10.3389/fnins.2018.00331](https://doi.org/10.3389/fnins.2018.00331),
[arXiv:1706.02609](https://arxiv.org/abs/1706.02609).

"""
ABOUT = "How to cite stbp_edu, and the paper whose equations it teaches."


def page() -> str:
    """Return the Markdown of the page."""
    text = front("How to cite", ABOUT, tags=["reference"], hide=["tags"])
    source = (ROOT / "CITATION.cff").read_text(encoding="utf-8").rstrip()
    cff = yaml.safe_load(source)
    text += f"As BibTeX:\n\n{_bibtex('software', 'stbp_edu', cff)}\n\n"
    text += f"As a Citation File:\n\n```yaml\n{source}\n```\n\n"
    return text + PAPER + _bibtex("article", "wu2018stbp", cff["references"][0])


def _bibtex(kind: str, key: str, cff: dict[str, Any]) -> str:
    people = [
        f"{{{a['name']}}}" if "name" in a else f"{a['family-names']}, {a['given-names']}"
        for a in cff["authors"]
    ]
    fields = {
        "title": cff["title"],
        "author": " and ".join(people),
        "version": cff.get("version"),
        "license": cff.get("license"),
        "journal": cff.get("journal"),
        "volume": cff.get("volume"),
        "pages": cff.get("start"),
        "year": cff.get("year") or str(cff.get("date-released", ""))[:4],
        "doi": cff.get("doi"),
        "url": cff.get("url"),
    }
    body = "".join(f"  {name} = {{{value}}},\n" for name, value in fields.items() if value)
    return f"```bibtex\n@{kind}{{{key},\n{body}}}\n```"
