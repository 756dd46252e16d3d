"""Commands to call, and a finished run to look at."""

from pathlib import Path

import pytest

from stbp_edu.cli.main import parse

QUICK = [
    "--epochs",
    "2",
    "--hidden",
    "30",
    "--T",
    "4",
    "--batch",
    "100",
    "--encodings",
    "2",
]


def call(*argv: str | Path) -> int:
    """Run a command; what it raises comes through."""
    args = parse(list(map(str, argv)))
    return args.run(args)


@pytest.fixture(scope="session")
def folder(tmp_path_factory) -> Path:
    """The finished runs with both rules, for tests that only read them."""
    out = tmp_path_factory.mktemp("run")
    assert call("train", "digits", "--out", out, *QUICK, "--epochs", "4") == 0
    return out
