from __future__ import annotations

import gzip
import tracemalloc

import numpy as np
import pytest

from stbp_edu.training.data.sources import parse
from tests.idx_files import idx_bytes, known


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "got an empty file"),
        (b"\x00\x00\x08\x03" + b"\x00" * 4, "begin with 00 00 08 01, got 00 00 08 03"),
        (b"\x00\x00\x0d\x01\x00\x00\x00\x01\x00", "got 00 00 0d 01"),
        (b"\x00\x00\x08\x01\x00\x00\x00\x03\x07\x09", r"8 \+ 3 = 11 bytes.*got 10"),
        (b"\x00\x00\x08\x01\x00\x00\x00\x01\x07\x09", r"8 \+ 1 = 9 bytes.*got 10"),
        (b"\x00\x00\x08\x01\x00\x00\x00\x00", "at least one of data"),
    ],
)
def test_a_bad_idx_file_is_named(data: bytes, words: str) -> None:
    with pytest.raises(ValueError, match=f"labels must .*{words}"):
        parse(data, "labels")


def test_an_array_survives() -> None:
    array = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    np.testing.assert_array_equal(parse(idx_bytes(array), "images"), array)


def test_a_file_is_taken_packed_or_not_if_it_is_the_right_one() -> None:
    file = known("labels", b"abc")
    assert file.unpack(gzip.compress(b"abc"), "x") == file.unpack(b"abc", "x") == b"abc"
    with pytest.raises(ValueError, match=r"x must be Small's labels with SHA-256 ba78.* \(2 bytes"):
        file.unpack(b"ab", "x")
    with pytest.raises(ValueError, match="x must be a whole gzip file"):
        known("labels", b"abc" * 99).unpack(gzip.compress(b"abc" * 99)[:-9], "x")


def test_a_gzip_bomb_is_not_unpacked() -> None:
    bomb = gzip.compress(bytes(200_000_000), 1)
    tracemalloc.start()
    with pytest.raises(ValueError, match=r"\(4 bytes unpacked\)"):
        known("labels", b"abc").unpack(bomb, "x")
    assert tracemalloc.get_traced_memory()[1] < 1_000_000
    tracemalloc.stop()
