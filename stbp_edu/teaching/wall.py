"""The wall around an answer: bubblewrap, which starts a program where it can reach nothing.

Behind it an answer sees Python, NumPy and the system's programs, all read-only, and its own three
files. There is no network, no home, no other process and no place to write; limits on memory, time
and processes are set by :mod:`stbp_edu.teaching.sandbox`. What holds is bubblewrap's and the
kernel's work (namespaces), and no line of Python. A fault in the kernel could let an answer out.
"""

import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import numpy as np

import stbp_edu

PACKAGE = Path(stbp_edu.__file__).parent
PYTHON = str(Path(sys.executable).resolve())
OWN_FILES = ("practice/grading/calling.py", "teaching/messages.py")
"""What the program in the process imports of this package."""
SYSTEM = (
    *("/usr", "/bin", "/lib", "/lib32", "/lib64"),
    *("/etc/alternatives", "/etc/ld.so.cache"),
)
NO_WALL = (
    "grade needs bubblewrap, which keeps answers from your files and from the network, "
    "and {why}; install it (Debian, Ubuntu, WSL: apt install bubblewrap; Fedora: dnf install "
    "bubblewrap; elsewhere grade in a Linux container), or write --unsafe if you trust every "
    "author as you trust yourself"
)


def prepared(folder: Path) -> None:
    """Write into an empty folder what the process needs: the program, its modules, NumPy."""
    shutil.copy(PACKAGE / "teaching/sandbox.py", folder / "__main__.py")
    for file in OWN_FILES:
        copied = folder / "stbp_edu" / file
        copied.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(PACKAGE / file, copied)
    for package in (folder / "stbp_edu").glob("**/"):
        (package / "__init__.py").touch()
    (folder / "modules").mkdir()
    for place in numpy_folders():
        (folder / "modules" / place.name).symlink_to(place)
    folder.chmod(0o755)


def numpy_folders() -> list[Path]:
    """Return the folders of NumPy: its own, and the one of its libraries where it has one."""
    own = Path(np.__file__).parent
    libraries = own.with_name("numpy.libs")
    return [own, libraries] if libraries.exists() else [own]


def command_line(folder: Path, *, unsafe: bool) -> list[str]:
    """Return the command that runs what :func:`prepared` has written, without its arguments."""
    if unsafe:
        return [PYTHON, "-sSB", str(folder)]
    return [*_bubblewrap(folder), PYTHON, "-sSB", "/answer"]


def environment(folder: Path, *, unsafe: bool) -> dict[str, str]:
    """Return the environment of the process."""
    place = folder if unsafe else Path("/answer")
    one_thread = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    return {"PYTHONPATH": str(place / "modules"), **one_thread}


def _bubblewrap(folder: Path) -> list[str]:
    """Return bubblewrap with its options."""
    options = ["bwrap", "--die-with-parent", "--new-session"]
    options += ["--unshare-net", "--unshare-ipc", "--unshare-pid", "--unshare-uts"]
    options += ["--unshare-cgroup-try"]
    if os.geteuid() == 0:  # the process then becomes a user that owns nothing
        options += ["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
    else:
        options += ["--unshare-user", "--disable-userns"]
    options += ["--tmpfs", "/tmp", "--dev", "/dev"]
    readable = [*SYSTEM, sys.base_prefix, *map(str, numpy_folders())]
    for place in readable:
        for parent in reversed(Path(place).parents[:-1]):  # else closed to nobody
            options += ["--perms", "0755", "--dir", str(parent)]
        options += ["--ro-bind-try", place, place]
    if any(PACKAGE.is_relative_to(place) for place in readable):
        options += ["--tmpfs", str(PACKAGE), "--remount-ro", str(PACKAGE)]
    options += ["--ro-bind", str(folder), "/answer", "--chdir", "/answer"]
    for place in ("/tmp", "/dev", "/"):
        options += ["--remount-ro", place]
    return options


@cache
def tool() -> str:
    """Return the name and version of what the wall is made of.

    Raises:
        OSError: if there is no such tool, or it does not start.
    """
    if shutil.which("bwrap") is None:
        raise OSError(NO_WALL.format(why="there is none"))
    trial = [*_bubblewrap(Path(__file__).parent), PYTHON, "-sSBc", "pass"]
    done = subprocess.run(trial, capture_output=True, text=True, check=False)
    if done.returncode:
        raise OSError(NO_WALL.format(why=f"it does not start ({done.stderr.strip()})"))
    version = subprocess.run(["bwrap", "--version"], capture_output=True, text=True)
    return version.stdout.strip()
