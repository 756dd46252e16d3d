"""The pages on results and speed, made from records, and the page on how to cite."""

from __future__ import annotations

from typing import Any

import yaml

from tools import accuracy, performance, records
from tools.site import ROOT
from tools.site.generate import front

PAPER = """## The paper behind the course

Y. Wu, L. Deng, G. Li, J. Zhu, L. Shi. *Spatio-Temporal Backpropagation for Training
High-Performance Spiking Neural Networks.* Frontiers in Neuroscience 12:331, 2018.
arXiv 1706.02609.
"""
ABOUT_RESULTS = "Numbers measured with this code, read from the files that the runs wrote."
ABOUT_SPEED = "How long a training step takes, beside its matrix products and other frameworks."
ABOUT_CITE = "How to cite stbp_edu, and the paper whose equations it teaches."


def results() -> str:
    """Return the results page, made from the records of training."""
    text = front("Results", ABOUT_RESULTS, tags=["reference"], hide=["tags"])
    return text + accuracy.page(records.read())


def speed() -> str:
    """Return the page on speed, made from the records of the benchmarks."""
    text = front("Performance", ABOUT_SPEED, tags=["reference"], hide=["tags"])
    return text + performance.page(records.read())


def cite() -> str:
    """Return the page on how to cite, made from CITATION.cff where it exists."""
    text = front("How to cite", ABOUT_CITE, tags=["reference"], hide=["tags"])
    path = ROOT / "CITATION.cff"
    if path.is_file():
        source = path.read_text(encoding="utf-8").rstrip()
        text += f"As BibTeX:\n\n{_bibtex(yaml.safe_load(source))}\n\n"
        text += f"As a Citation File:\n\n```yaml\n{source}\n```\n\n"
    return text + PAPER


def _bibtex(cff: dict[str, Any]) -> str:
    people = [
        a.get("name") or f"{a.get('given-names', '')} {a.get('family-names', '')}".strip()
        for a in cff.get("authors", [])
    ]
    fields = {
        "title": cff.get("title", "stbp_edu"),
        "author": " and ".join("{" + name + "}" for name in people),
        "version": cff.get("version", ""),
        "year": str(cff.get("date-released", ""))[:4],
        "license": cff.get("license", ""),
    }
    body = "".join(f"  {key} = {{{value}}},\n" for key, value in fields.items() if value)
    return f"```bibtex\n@software{{stbp_edu,\n{body}}}\n```"
