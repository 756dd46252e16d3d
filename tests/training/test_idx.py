"""Data sets in IDX files: downloads and their checksums."""

import gzip

import pytest

from stbp_edu.training.data import load_dataset
from stbp_edu.training.data.idx import NAMES
from tests.idx_files import put


@pytest.fixture
def served(raw, tmp_path):
    """A folder that stands for the web."""
    return put(tmp_path / "web", raw, packed=True)


def test_files_are_downloaded_once_and_kept_unpacked(install, raw, served, tmp_path):
    install(url=served.as_uri())
    assert len(load_dataset("mnist").test_labels) == 10
    cache = tmp_path / "cache" / "stbp_edu" / "mnist"
    assert {path.name: path.read_bytes() for path in cache.iterdir()} == raw
    install()  # nobody serves them now
    assert len(load_dataset("mnist").test_labels) == 10


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        (gzip.compress(b"another file"), "with SHA-256"),
        (gzip.compress(bytes(1000))[:20], "must be a whole gzip file"),
        (b"<html>not here</html>", "with SHA-256"),
    ],
    ids=["another file", "cut short", "not packed"],
)
def test_another_file_is_refused_and_not_kept(sent, words, install, served, tmp_path):
    install(url=served.as_uri())
    (served / f"{NAMES[2]}.gz").write_bytes(sent)
    with pytest.raises(FileNotFoundError, match=words):
        load_dataset("mnist")
    cache = tmp_path / "cache" / "stbp_edu" / "mnist"
    assert sorted(path.name for path in cache.iterdir()) == sorted(NAMES[:2])


def test_without_a_network_the_error_says_what_to_do(install):
    install()
    with pytest.raises(FileNotFoundError, match=r"Small is not in .* --data.* digits"):
        load_dataset("mnist")
