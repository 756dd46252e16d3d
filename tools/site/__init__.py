"""Builds, serves and checks the site."""

from pathlib import Path

from tools import ROOT

CACHE = ROOT / ".cache" / "site"
PUBLIC = CACHE / "public"  # fetched files, laid out as the site serves them
SITE: Path = ROOT / "site"
