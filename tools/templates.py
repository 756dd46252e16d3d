"""Fill in templates: text and markup stand in files of their own, code makes what varies."""

from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined


def filled(template: Path, **names: object) -> str:
    """Return a template with its expressions evaluated; nothing is escaped unless it says so."""
    return _environment(template.parent).get_template(template.name).render(**names)


@cache
def _environment(folder: Path) -> Environment:
    return Environment(
        loader=FileSystemLoader(folder), undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True, autoescape=False,
        comment_start_string="{##", comment_end_string="##}",  # {#id} is a heading's anchor
    )  # fmt: skip
