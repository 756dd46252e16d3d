"""The head of a page that is made at build time."""

from __future__ import annotations

import yaml


def front(title: str, description: str, **extra: object) -> str:
    """Return front matter and the title."""
    meta = {"title": title, "description": description, **extra}
    return f"---\n{yaml.safe_dump(meta, allow_unicode=True)}---\n\n# {title}\n\n"
