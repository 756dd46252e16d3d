"""Fetch what the pages need from npm: fonts and MathJax. Versions and hashes: package-lock.json."""

from __future__ import annotations

import shutil
from pathlib import Path

from tools.site import CACHE, HERE, PUBLIC
from tools.site.node import npm

NPM = CACHE / "npm"
MODULES = NPM / "node_modules"
VENDOR = PUBLIC / "assets" / "vendor"
FONTS = {  # family: (styles, subsets)
    "source-serif-4": (("normal", "italic"), ("latin", "greek", "latin-ext")),
    "inter": (("normal",), ("latin", "greek", "latin-ext")),
    "jetbrains-mono": (("normal",), ("latin", "greek", "latin-ext")),
}
MATHJAX = (
    "startup.js",
    "core.js",
    "input/tex-base.js",
    "input/tex/extensions/ams.js",
    "input/tex/extensions/boldsymbol.js",
    "input/tex/extensions/newcommand.js",
    "input/tex/extensions/textmacros.js",
    "input/tex/extensions/cancel.js",
    "input/tex/extensions/color.js",
    "output/chtml.js",
)
LICENCES = ("mathjax", "@mathjax/mathjax-newcm-font", *(f"@fontsource-variable/{f}" for f in FONTS))


def ensure() -> Path:
    """Return the folder of fetched files, filling it if it is missing or out of date."""
    wanted = (HERE / "package-lock.json").read_text() + Path(__file__).read_text()
    stamp = CACHE / "vendor.stamp"
    if not (VENDOR.is_dir() and stamp.is_file() and stamp.read_text() == wanted):
        modules()
        shutil.rmtree(VENDOR, ignore_errors=True)
        _copy_fonts()
        _copy_mathjax()
        _copy_licences()
        stamp.write_text(wanted)
    return VENDOR


def modules() -> Path:
    """Return node_modules as the lock file has it."""
    lock = (HERE / "package-lock.json").read_text()
    stamp = MODULES / ".stamp"
    if not (stamp.is_file() and stamp.read_text() == lock):
        NPM.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / name, NPM / name)
        npm("ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", cwd=NPM)
        stamp.write_text(lock)
    return MODULES


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def _copy_fonts() -> None:
    for family, (styles, subsets) in FONTS.items():
        for name in (f"{family}-{subset}-wght-{style}.woff2" for subset in subsets for style in styles):
            _copy(MODULES / "@fontsource-variable" / family / "files" / name, VENDOR / "fonts" / name)


def _copy_mathjax() -> None:
    """Copy the parts of MathJax that are used, and the whole of its font (few files load)."""
    for name in MATHJAX:
        _copy(MODULES / "mathjax" / name, VENDOR / "mathjax" / name)
    font = MODULES / "@mathjax" / "mathjax-newcm-font"
    target = VENDOR / "mathjax" / "newcm"
    _copy(font / "chtml.js", target / "chtml.js")
    for folder in ("woff2", "dynamic"):
        shutil.copytree(font / "chtml" / folder, target / "chtml" / folder)


def _copy_licences() -> None:
    for package in LICENCES:
        found = [*(MODULES / package).glob("LICENSE*")] or [*(MODULES / "mathjax").glob("LICENSE*")]
        _copy(found[0], VENDOR / "licences" / f"{package.split('/')[-1]}.txt")


if __name__ == "__main__":
    print(f"fonts and MathJax are in {ensure()}")
