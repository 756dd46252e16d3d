"""Gives MkDocs the events: it loads a hook by its path, and not as a module of this package."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tools.site.events import *  # noqa: F403
