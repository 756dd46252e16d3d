import json
import os
import sys
import tempfile
import zipfile
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stbp_edu import init_params, load_params, save_params
from stbp_edu._support import files
from stbp_edu.training import Settings, initial_state, load_digits, runs, to_dict
from tests.bad_calls import equal


def test_parameters_survive_to_the_bit_without_pickle(tmp_path):
    params = init_params([5, 4, 3], np.random.default_rng(0), np.float32)
    one, two = tmp_path / "p.npz", tmp_path / "again.npz"
    for path in (one, two):
        save_params(path, params)
    with np.load(one, allow_pickle=False) as file:
        assert sorted(file.files) == ["W1", "W2", "b1", "b2", "meta"]
    assert equal(load_params(one), params)
    assert one.read_bytes() == two.read_bytes()


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "deep" / "file.json"
    files.write_json(path, {"a": 1})

    def full_disk(file):
        file.write(b"half")
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        files.write_whole(path, full_disk)
    assert files.read_json(path) == {"a": 1}
    assert [p.name for p in path.parent.iterdir()] == ["file.json"]
    with pytest.raises(ValueError, match="not JSON compliant"):
        files.write_json(path, float("nan"))
    assert json.loads(path.read_text()) == {"a": 1}


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_link_is_written_through_and_what_is_no_file_is_left(tmp_path):
    link, target, pipe = (tmp_path / name for name in ("link", "target", "pipe"))
    link.symlink_to(target)
    os.mkfifo(pipe)
    for _ in range(2):
        files.write_json(link, [1])
        assert link.is_symlink()
        assert target.read_text() == "[\n 1\n]\n"
    for path, kind in ((pipe, "a pipe or a device"), (tmp_path, "a folder")):
        with pytest.raises(ValueError, match=f"must be a file or new, and is {kind}"):
            files.write_json(path, [1])
    assert pipe.is_fifo()


def test_a_lock_is_held_by_one_and_given_back(tmp_path):
    path = tmp_path / "deep" / ".lock"
    for _ in range(2):
        with (
            files.claimed(path, "unused"),
            pytest.raises(ValueError, match="is here"),
            files.claimed(path, "one is here"),
        ):
            pass


def test_without_filelock_a_run_says_what_it_needs(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "filelock", None)  # importing it now fails
    with (
        pytest.raises(ImportError, match=r"pip install filelock"),
        files.claimed(tmp_path / ".lock", "unused"),
    ):
        pass


def write_params(path):
    save_params(path, STATE.params)


def write_checkpoint(path):
    runs.save_checkpoint(path, STATE, {"settings": to_dict(SETTINGS)})


SETTINGS = Settings(hidden=("3C3", "4R"), T=2)
STATE = initial_state(SETTINGS, load_digits())
FILES = {
    write_params: load_params,
    write_checkpoint: runs.load_checkpoint,
}
"""What writes each kind of file of arrays that is read back, and what reads it."""


@cache
def whole_file(write):
    """Return the bytes of a whole file, and what is in it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "whole")
        write(path)
        return path.read_bytes(), FILES[write](path)


PLACES = st.integers(0, 10**5)
EDITS = st.lists(
    st.tuples(PLACES, st.sampled_from([0, 1, 2, 300, 10**5]), st.binary(max_size=3)),
    min_size=1, max_size=4,
)  # fmt: skip


@settings(max_examples=5 * settings().max_examples)
@given(st.sampled_from([*FILES]), PLACES, st.integers(0, 7) | EDITS)
@pytest.mark.filterwarnings("error")
def test_a_file_that_is_changed_is_never_read_as_another(kind, at, change):
    """A bit flipped, or bytes taken out and put in: refused by name, or the same to the bit."""
    data, good = whole_file(kind)
    if isinstance(change, int):
        at %= len(data)
        change = [(at, 1, bytes([data[at] ^ 1 << change]))]
    for start, width, new in change:
        k = start % (len(data) + 1)
        data = data[:k] + new + data[k + width :]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "damaged")
        path.write_bytes(data)
        try:
            found = FILES[kind](path)
        except ValueError as error:
            found = good if str(path) in str(error) else error
    assert equal(found, good), found


def foreign(name):
    """Write a file that holds no parameters, or none that are read; return its path."""
    path, b = Path(f"{name}.npz"), np.zeros(2)
    if name == "archive":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("notes.txt", "no array")
        return path
    W = {
        "shapes": np.zeros((3, 2)),
        "pickle": np.array([{}], dtype=object),
        "bomb": np.zeros((1000, 5000)),
    }
    np.savez_compressed(
        path, **{"a": b} if name == "names" else {"W1": W[name], "b1": b}
    )
    return path


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("names", r"must hold W1, b1, .*, and has \['a'\]"),
        ("shapes", r"b\[1\] must have shape"),
        ("pickle", "must be a whole npz file of plain arrays"),
        ("archive", r"notes\.txt is not an array"),
        ("bomb", r"it would unpack to 40,\d+,\d+ bytes"),
    ],
)
def test_foreign_files_are_refused(name, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=words):
        load_params(foreign(name))
    with pytest.raises(FileNotFoundError):
        load_params("none.npz")
    Path("x.json").write_text("{")
    with pytest.raises(ValueError, match=r"x\.json must be a JSON file"):
        files.read_json(Path("x.json"))
