"""Builds, serves and checks the site.

- ``build``: runs MkDocs on everything, and packs the zip; ``python -m tools.site.build``.
- ``serve``: serves the built site; ``python -m tools.site.serve``.
- ``hook``: translates MkDocs' events into calls of ``site_content``.
- ``site_content``: the pages and files of one build; knows nothing of MkDocs.
- ``assets/``: fetches fonts, MathJax and Pyodide, and builds this project's wheel.
- ``render/``: turns a notebook, its outputs, formulas and links into a page.
- ``generate/``: makes the pages and files that no one wrote by hand.
- ``checks/``: finds broken links, and measures pages in a browser.
- ``theme/``: templates over MkDocs' Material theme.
"""

from pathlib import Path

from tools import ROOT

__all__ = ["CACHE", "PUBLIC", "ROOT", "SITE"]

CACHE = ROOT / ".cache" / "site"
PUBLIC = CACHE / "public"  # fetched files, laid out as the site serves them
SITE: Path = ROOT / "site"
