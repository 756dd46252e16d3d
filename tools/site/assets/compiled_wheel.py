"""Compile the modules in a wheel. Runs inside Pyodide, since each Python has its own bytecode."""

import importlib.util
import py_compile
import tempfile
import zipfile
from pathlib import Path

DATE = (1980, 1, 1, 0, 0, 0)  # the same wheel gives the same bytes
LEFT_OUT = (  # what no page imports or reads, and the hashes of files that change here
    "/tests/", "/benchmarks/", "/sample_data/", "/fonts/afm/", "/fonts/pdfcorefonts/",
    ".dist-info/RECORD",
)  # fmt: skip
UNCHECKED = py_compile.PycInvalidationMode.UNCHECKED_HASH


def compile_wheel(wheel: Path, target: Path, folder: str, sources: bool) -> None:
    """Write the wheel with bytecode in the place of its modules, or beside them if ``sources``.

    ``folder`` is where the wheel will lie; tracebacks name it.
    """
    with zipfile.ZipFile(wheel) as old, zipfile.ZipFile(target, "w") as new:
        for info in old.infolist():
            name, content = info.filename, old.read(info)
            if info.is_dir() or any(part in name for part in LEFT_OUT):
                continue
            if not name.endswith(".py"):
                _write(new, name, content)
                continue
            compiled = importlib.util.cache_from_source(name) if sources else f"{name}c"
            _write(new, compiled, _bytecode(content, f"{folder}/{name}"))
            if sources:
                _write(new, name, content)


def _write(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    archive.writestr(zipfile.ZipInfo(name, DATE), content, zipfile.ZIP_DEFLATED, 9)


def _bytecode(source: bytes, shown: str) -> bytes:
    """Return what Python would write into ``__pycache__``, valid whatever the source's date."""
    with tempfile.TemporaryDirectory() as folder:
        path, cache = Path(folder, "module.py"), Path(folder, "module.pyc")
        path.write_bytes(source)
        py_compile.compile(str(path), str(cache), shown, doraise=True, invalidation_mode=UNCHECKED)
        return cache.read_bytes()
