"""Your own data on the command line."""

import numpy as np
import pytest

from stbp_edu.cli.main import main
from stbp_edu.training.data import load_dataset
from stbp_edu.training.data.tables import PARTS
from tests.cli.conftest import QUICK, call

LABELS = np.arange(60) % 3
VALUES = np.random.default_rng(0).integers(0, 80, (60, 4)) + 80 * LABELS[:, None]


def test_a_csv_file_is_split_scaled_and_trained_on(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lines = np.column_stack([LABELS, VALUES])
    np.savetxt("own.csv", lines, "%d", ",", header="class,a,b,c,d", comments="")
    assert call("train", "--csv", "own.csv", *QUICK, "--batch", "16") == 0
    assert "csv: 4-30-3, T = 4" in capsys.readouterr().out
    data = load_dataset("csv", "own.csv")
    assert np.bincount(data.test_labels).tolist() == [4, 4, 4]
    both = np.concatenate([data.train_images, data.test_images]).reshape(60, 4)
    expected = (VALUES / VALUES.max()).astype(np.float32)
    assert sorted(both.tolist()) == sorted(expected.tolist())
    monkeypatch.chdir("/")  # the record knows where the file is
    assert call("train", "--resume", tmp_path / "runs" / "own" / "exact") == 0


@pytest.mark.parametrize("labels", [[1, 3], [-1, 0], ["cat", "dog"]])
def test_labels_number_the_classes_in_both_kinds_of_files(labels, tmp_path):
    """Otherwise an answer would mean another class, or there would be outputs for none."""
    every, values = np.array(labels * 20), np.full((40, 2), 0.5)
    np.savez(tmp_path / "one.npz", images=values, labels=every)
    halves = dict(zip(PARTS, (values, every) * 2, strict=True))
    np.savez(tmp_path / "two.npz", **halves)
    files = [("npz", "one.npz"), ("npz", "two.npz")]
    if every.dtype.kind == "i":
        np.savetxt(tmp_path / "own.csv", np.column_stack([every, values]), "%g", ",")
        files.append(("csv", "own.csv"))
    wrong = r"it has the labels \[.*number the classes 0, 1, 2, ..., without a gap"
    for kind, name in files:
        with pytest.raises(ValueError, match=wrong):
            load_dataset(kind, tmp_path / name)


def test_bytes_that_are_0_or_1_are_not_read_as_nearly_black(tmp_path):
    images = np.eye(4, dtype=np.uint8)[np.arange(60) % 4]
    for white in (1, 255):
        np.savez(tmp_path / f"{white}.npz", images=white * images, labels=LABELS)
    assert load_dataset("npz", tmp_path / "255.npz").train_images.max() == 255
    with pytest.raises(ValueError, match="got only 0 and 1; pass images"):
        load_dataset("npz", tmp_path / "1.npz")


def test_whole_numbers_that_are_no_bytes_are_to_be_divided(tmp_path):
    path = tmp_path / "own.npz"
    np.savez(path, images=np.tile([0, 255], (60, 1)), labels=LABELS)
    with pytest.raises(ValueError, match="got int64; divide by 255"):
        load_dataset("npz", path)


def test_a_part_that_is_held_out_already_stays_so(tmp_path):
    parts = VALUES[:50] / 255, LABELS[:50], VALUES[50:] / 255, LABELS[50:]
    np.savez(tmp_path / "own.npz", **dict(zip(PARTS, parts, strict=True)))
    data = load_dataset("npz", str(tmp_path / "own.npz"))
    np.testing.assert_array_equal(data.test_images[:, 0], parts[2])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("0,1\n1,x", "line 2 is '1,x'"),
        ('"1",x\n0,1', "line 1 is"),
        ("class,a\n\n0,1\n1,-2", "line 4 is '1,-2'"),
        ("0,1\n0.5,1", "line 2 is '0.5,1'"),
        ("0\n1", "line 1 is '0'"),
        ("0,1\n1,2,3", "line 2 has 3 columns, the first 2"),
        ("class,a\n", "it has no lines"),
        ("class,a\ncat,1\n0,1", "line 2 is 'cat,1'"),
        ("0;1;2\n1;2;3", "separated by commas, but line 2 is '1;2;3'"),
        ("0\t1\n1\t2", r"separated by commas, but line 2 is '1\t2'"),
        ("0,1\n0,nan", "line 2 is '0,nan'"),
        ("0,1\n7,2", "it has 2 labels among 2 examples"),
    ],
)
def test_a_table_of_another_form_is_named(text, words, tmp_path, capsys):
    path = tmp_path / "own.csv"
    path.write_text(text)
    assert main(["train", "--csv", str(path)]) == 2
    said = capsys.readouterr().err
    assert f"stbp-edu train: {path} must have in each line a label" in said
    assert words in said
