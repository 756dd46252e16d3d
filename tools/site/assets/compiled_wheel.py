"""Compile the modules in a wheel. Runs inside Pyodide, since each Python has its own bytecode."""

import gzip
import importlib.util
import io
import marshal
import tarfile
import zipfile
from pathlib import Path

DATE = (1980, 1, 1, 0, 0, 0)  # the same wheel gives the same bytes
LEFT_OUT = (  # what no page imports or reads, and the hashes of files that change here
    "/tests/", "/benchmarks/", "/sample_data/", "/fonts/afm/", "/fonts/pdfcorefonts/",
    "/mpl-data/images/", "/f2py/", "/include/", ".pxd", ".pyi", ".dist-info/RECORD",
    "/ttf/DejaVuSerif", "/ttf/DejaVuSansMono", "PIL/_webp", "PIL/_imagingft",
)  # fmt: skip


def compile_wheel(wheel: Path, target: Path, folder: str, sources: bool) -> None:
    """Write the files with bytecode in the place of modules, or beside them if ``sources``.

    ``folder`` is where they will lie; tracebacks name it. A ``.zip`` stays one, not compressed: it
    travels compressed as a whole. Else the target is a packed tar archive.
    """
    files = {}
    with zipfile.ZipFile(wheel) as old:
        for info in old.infolist():
            name, content = info.filename, old.read(info)
            if info.is_dir() or any(part in name for part in LEFT_OUT):
                continue
            if name.endswith(".py"):
                compiled = (
                    importlib.util.cache_from_source(name) if sources else f"{name}c"
                )
                files[compiled] = _bytecode(content, f"{folder}/{name}")
            if sources or not name.endswith(".py"):
                files[name] = content
    if target.suffix == ".zip":
        with zipfile.ZipFile(target, "w") as new:
            for name, content in files.items():
                new.writestr(zipfile.ZipInfo(name, DATE), content)
        return
    with (
        gzip.GzipFile(target, "wb", 9, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w") as new,
    ):
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            new.addfile(entry, io.BytesIO(content))


def _bytecode(source: bytes, shown: str) -> bytes:
    """Return what Python would write into ``__pycache__``, valid whatever the source's date."""
    code = compile(source, shown, "exec", dont_inherit=True)
    head = importlib.util.MAGIC_NUMBER + (1).to_bytes(
        4, "little"
    )  # 1: the hash is not checked
    return head + importlib.util.source_hash(source) + marshal.dumps(code)
