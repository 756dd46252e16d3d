"""The texts that teachers and students read: templates, filled in."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from stbp_edu.practice.feedback import markup

TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"), undefined=StrictUndefined,
    trim_blocks=True, lstrip_blocks=True, autoescape=select_autoescape(["html"]),
)  # fmt: skip


def filled(template: str, **names: object) -> str:
    """Return a template with its expressions evaluated."""
    return TEMPLATES.get_template(template).render(names)


def many(count: int, what: str) -> str:
    """Return a number of things.

    >>> many(1, "file"), many(3, "file")
    ('1 file', '3 files')
    """
    return f"{count} {what}{'s' * (count != 1)}"


def encodable(text: str) -> str:
    """Return a text that UTF-8 can hold: an answer may raise, and a name may be, what it cannot."""
    return text.encode(errors="backslashreplace").decode()


TEMPLATES.globals |= {"many": many}
TEMPLATES.filters |= {"g": "{:g}".format, "said": lambda text: Markup(markup(text))}
