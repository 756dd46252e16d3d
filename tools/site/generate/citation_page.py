"""The page on how to cite, made from CITATION.cff."""

import tomllib
from pathlib import Path
from typing import Any

import yaml

from tools.site import ROOT
from tools.templates import filled

TEMPLATE = Path(__file__).with_name("templates") / "citation.md"


def page() -> str:
    """Return the Markdown of the page, below its title."""
    source = (ROOT / "CITATION.cff").read_text(encoding="utf-8").rstrip()
    cff = yaml.safe_load(source)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    software = _bibtex("software", "stbp_edu", cff | {"license": project["license"]})
    paper = _bibtex("article", "wu2018stbp", cff["references"][0])
    return filled(TEMPLATE, software=software, source=source, paper=paper)


def _bibtex(kind: str, key: str, cff: dict[str, Any]) -> str:
    """Return an entry of a Citation File as BibTeX."""
    people = [
        f"{{{a['name']}}}" if "name" in a else f"{a['family-names']}, {a['given-names']}"
        for a in cff["authors"]
    ]
    year = cff.get("year") or str(cff.get("date-released", ""))[:4]
    fields = {"title": cff["title"], "author": " and ".join(people)}
    fields |= {name: cff.get(name) for name in ("version", "license", "journal", "volume")}
    fields |= {
        "pages": cff.get("start"),
        "year": year,
        "doi": cff.get("doi"),
        "url": cff.get("url"),
    }
    body = "".join(f"  {name} = {{{value}}},\n" for name, value in fields.items() if value)
    return f"```bibtex\n@{kind}{{{key},\n{body}}}\n```"
