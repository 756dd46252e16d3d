"""Libraries that are loaded when asked for."""

import pytest

from stbp_edu.verify import require


def test_a_missing_library_is_named_with_what_to_run():
    with pytest.raises(ImportError, match=r'the proof needs nowhere; run: pip install "stbp'):
        require("nowhere.at_all", "the proof")


def test_a_library_that_is_broken_inside_is_not_called_missing(tmp_path, monkeypatch):
    (tmp_path / "half_a_library.py").write_text("import what_it_needs\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="what_it_needs"):
        require("half_a_library", "the proof")
