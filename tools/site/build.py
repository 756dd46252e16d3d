"""Build everything: fetched files, Pyodide with this tree's own wheel, pages, offline zip.

python -m tools.site.build [--no-zip]
"""

import argparse
import os
import shutil
import subprocess
import sys
import time
import zipfile

from filelock import FileLock

from tools.site import CACHE, ROOT, SITE
from tools.site.downloads import OFFLINE
from tools.templates import filled

STORED = {".pack", ".whl", ".zip", ".woff2", ".png"}  # packed already
NEXT, OLD = CACHE / "next", CACHE / "old"
LOCK = CACHE / "build.lock"  # held while a process builds the site
DATE = (1980, 1, 1, 0, 0, 0)  # the same site gives the same zip


def build() -> None:
    """Run MkDocs; its hook fetches and assembles what is missing or out of date."""
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet"]
    done = subprocess.run(
        [*command, "--site-dir", str(NEXT)], cwd=ROOT, env=environment
    )
    if done.returncode:
        raise SystemExit(done.returncode)
    shutil.rmtree(OLD, ignore_errors=True)
    if SITE.exists():
        SITE.rename(
            OLD
        )  # whoever is looking at the site sees the old one or the new one
    NEXT.rename(SITE)
    shutil.rmtree(OLD, ignore_errors=True)


def pack() -> None:
    """Put the site into one zip inside the site, for readers without a connection."""
    target = SITE / OFFLINE
    target.unlink(missing_ok=True)
    files = [p for p in sorted(SITE.rglob("*")) if p.is_file()]
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr(
            zipfile.ZipInfo("stbp_edu-site/README.txt", DATE), filled("readme.txt")
        )
        for path in files:
            info = zipfile.ZipInfo(
                f"stbp_edu-site/{path.relative_to(SITE).as_posix()}", DATE
            )
            kind = zipfile.ZIP_STORED if path.suffix in STORED else zipfile.ZIP_DEFLATED
            archive.writestr(info, path.read_bytes(), kind, compresslevel=6)


def main() -> None:
    """Build, and say how long it took."""
    parser = argparse.ArgumentParser(description="Build the site.")
    parser.add_argument(
        "--no-zip", action="store_true", help="leave the offline zip out"
    )
    options = parser.parse_args()
    start = time.perf_counter()
    with FileLock(LOCK):
        build()
    if not options.no_zip:
        pack()
    print(f"the site is in {SITE}, built in {time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
