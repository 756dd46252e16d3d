import pytest


@pytest.fixture(autouse=True)
def _own_progress(tmp_path, monkeypatch):
    """Keep what a test solves out of the reader's own file."""
    monkeypatch.setenv("STBP_EDU_PROGRESS", str(tmp_path / "progress.json"))
