from __future__ import annotations

import gzip

import numpy as np
import pytest

from stbp_edu.training.data import idx


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
        idx.parse(data, "labels", 1)


def test_idx_and_gzip_survive() -> None:
    array = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    np.testing.assert_array_equal(idx.parse(idx.write(array), "images", 3), array)
    assert idx.unpack(gzip.compress(b"abc"), "x") == idx.unpack(b"abc", "x") == b"abc"
    with pytest.raises(ValueError, match="x must be a whole gzip file"):
        idx.unpack(gzip.compress(b"abc" * 99)[:-9], "x")
