"""Makes the pages and files of the site that no one wrote by hand."""

import yaml


def front(title: str, description: str, **extra: object) -> str:
    """Return the front matter of a page, and its title as a heading."""
    meta = {"title": title, "description": description, **extra}
    return f"---\n{yaml.safe_dump(meta, allow_unicode=True)}---\n\n# {title}\n\n"
