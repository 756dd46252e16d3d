"""Builds the site: small modules around MkDocs, each of which does one thing."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
CACHE = ROOT / ".cache" / "site"
PUBLIC = CACHE / "public"  # fetched files, laid out as the site serves them
SITE = ROOT / "site"
