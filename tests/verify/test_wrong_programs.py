"""``verify`` fails for programs with a slip that nobody chose because it sees it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.verify.wrong_programs import SLIPS, Wrong

pytestmark = pytest.mark.slow  # some slips show late in the verification

ROOT = Path(__file__).parents[2]
FIRST_FAILURE = """
from stbp_edu.verify import report
work = sorted(report.trials_of(), key=lambda trial: trial[0] == "polynomials")  # the longest last
failures = (o for _, found in work for o in found if not o.ok)
outcome = next(failures, None)
print(outcome and (outcome.id, outcome.rule, outcome.oracle))
"""


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the package, in which a slip can be made."""
    return Path(shutil.copytree(ROOT / "stbp_edu", tmp_path_factory.mktemp("slip") / "stbp_edu"))


@pytest.mark.parametrize("wrong", SLIPS, ids=lambda wrong: wrong.slip)
def test_verify_fails(wrong: Wrong, package: Path):
    file = package.joinpath(*wrong.module.split(".")).with_suffix(".py")
    source = file.read_text()
    assert wrong.old in source, "the passage is gone; the slip must be written anew"
    file.write_text(source.replace(wrong.old, wrong.new))
    try:
        command = [sys.executable, "-c", FIRST_FAILURE]
        env = {**os.environ, "PYTHONPATH": str(package.parent), "OPENBLAS_NUM_THREADS": "1"}
        done = subprocess.run(command, cwd=package.parent, env=env, capture_output=True, text=True)
    finally:
        file.write_text(source)
    if done.returncode:  # a state that is read before it is written is nan: the package says so
        assert "NotFiniteError" in done.stderr, done.stderr
    else:
        assert done.stdout.strip() != "None", f"verify passes a program in which {wrong.slip}"
