"""Fill in templates: text and markup stand in files of their own, code brings what varies."""

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from tools import ROOT

TOOLS = ROOT / "tools"
FOLDERS = (ROOT / "docs", TOOLS / "site" / "templates", TOOLS / "teach" / "templates")
TEMPLATES = Environment(
    loader=FileSystemLoader(FOLDERS), undefined=StrictUndefined,
    trim_blocks=True, lstrip_blocks=True, autoescape=False,
    comment_start_string="{##", comment_end_string="##}",  # {#id} is a heading's anchor
)  # fmt: skip


def filled(template: str, **names: object) -> str:
    """Return a template, by its name in one of the folders, with its expressions evaluated."""
    return TEMPLATES.get_template(template).render(**names)


def filled_text(template: str, **names: object) -> str:
    """Return the text of a template with its expressions evaluated."""
    return TEMPLATES.from_string(template).render(**names)
