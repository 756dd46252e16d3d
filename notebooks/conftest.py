"""``pytest --nbval`` compares a figure by its words: another matplotlib draws other lines."""

from pathlib import Path


def pytest_configure(config):
    if not config.getoption("nbval_sanitize_with", None):
        config.option.nbval_sanitize_with = str(Path(__file__).with_name("nbval.cfg"))
