"""The results page, from the files that the runs wrote, and the page on how to cite."""

from __future__ import annotations

import json
from typing import Any

import yaml

from tools import performance
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
    """Return the results page, made from docs/results/*.json but for the records of speed."""
    text = front("Results", ABOUT_RESULTS, tags=["reference"], hide=["tags"])
    records = sorted((ROOT / "docs" / "results").glob("*.json"))
    files = [path for path in records if not path.stem.startswith("speed")]  # on their own page
    if not files:
        return text + "No run has written its results yet. When one has, they stand here.\n"
    text += (
        "Every number on this page is read, when the site is built, from the file that the run "
        "itself wrote.\n\n"
    )
    for path in files:
        name = path.stem.replace("_", " ").replace("-", " ").capitalize()
        data = json.loads(path.read_text(encoding="utf-8"))
        text += f"## {name}\n\n{_value(data)}From `docs/results/{path.name}`.\n\n"
    return text


def speed() -> str:
    """Return the page on speed, made from the records of the benchmarks."""
    text = front("Performance", ABOUT_SPEED, tags=["reference"], hide=["tags"])
    return text + performance.page(performance.read())


def _value(value: Any) -> str:
    """Return JSON as Markdown: lists of records and flat records become tables."""
    if isinstance(value, list) and value and all(isinstance(v, dict) for v in value):
        keys = list(dict.fromkeys(k for record in value for k in record))
        return _table(keys, [[_text(r.get(k, "")) for k in keys] for r in value])
    if isinstance(value, dict):
        flat = {
            k: v
            for k, v in value.items()
            if not (isinstance(v, (dict, list)) and v and not _short(v))
        }
        text = (
            _table(["what", "value"], [[k.replace("_", " "), _text(v)] for k, v in flat.items()])
            if flat
            else ""
        )
        nested = [(k, v) for k, v in value.items() if k not in flat]
        return text + "".join(f"\n**{str(k).replace('_', ' ')}**\n\n{_value(v)}" for k, v in nested)
    return f"{_text(value)}\n\n"


def _short(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) <= 12
        and not any(isinstance(v, (dict, list)) for v in value)
    )


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, (dict, list)):
        if isinstance(value, list) and len(value) > 12:
            return f"{len(value)} values"
        items = value.items() if isinstance(value, dict) else enumerate(value)
        return ", ".join(
            f"{k}: {_text(v)}" if isinstance(value, dict) else _text(v) for k, v in items
        )
    return str(value).replace("|", "\\|").replace("\n", " ")


def _table(keys: list[str], rows: list[list[str]]) -> str:
    head = (
        "| " + " | ".join(k.replace("_", " ") for k in keys) + " |\n|" + "---|" * len(keys) + "\n"
    )
    return head + "".join("| " + " | ".join(row) + " |\n" for row in rows) + "\n"


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
