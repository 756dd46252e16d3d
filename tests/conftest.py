"""What all tests share: Hypothesis profiles, and which tests run only where they are named."""

import os
import re
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

COMMON = {
    "deadline": None,  # machines are shared: no test asserts a time
    "derandomize": True,  # the same examples at every run
    "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large],
}
settings.register_profile("quick", max_examples=6, **COMMON)
settings.register_profile("more", max_examples=30, **COMMON)  # make test
settings.register_profile(
    "full", max_examples=100, **COMMON
)  # the workflow of the week
settings.register_profile(
    "search", max_examples=1000, **{**COMMON, "derandomize": False}
)
settings.load_profile(os.environ.get("STBP_EXAMPLES", "quick"))

# nbformat imports it, which builds 38 grammars for addresses: 2 seconds in each process.
sys.modules["rfc3987_syntax"] = None

APART = [Path(__file__).parent / name for name in ("site", "bridges")]
SLOW_EXAMPLES = {
    "stbp_edu.networks",
    "stbp_edu.verify.proof.prove",
    "stbp_edu.verify.report.run",
    "stbp_edu.explorers.board_explorer.board_data",
}  # a doctest cannot bear a mark
LONGEST = re.compile(
    r"test_(?:interruptions|report|random_texts|nbgrader|wrong_answers|recipes)\.py"
    r"|\[(?:22_where|13_digits|09_grad|14_what|15_full)"
)
SLOW_FILE = "\npytestmark = pytest.mark.slow"


def pytest_ignore_collect(collection_path, config):
    """Leave out what needs a site, or its own environment, unless the command line names it.

    A file that is slow as a whole is not imported where slow tests are left out.
    """
    if config.option.markexpr == "not slow" and collection_path.match("test_*.py"):
        return True if SLOW_FILE in collection_path.read_text("utf-8") else None
    if collection_path not in APART:
        return None
    named = (Path(argument.partition("::")[0]).resolve() for argument in config.args)
    return None if any(path.is_relative_to(collection_path) for path in named) else True


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Mark the examples of docstrings that are slow, before the slow ones are left out.

    The longest files and notebooks come first, so that no worker is left alone with one.
    """
    for item in items:
        if item.name in SLOW_EXAMPLES:
            item.add_marker(pytest.mark.slow)
    items.sort(key=lambda item: not LONGEST.search(item.nodeid))


@pytest.fixture
def two_neurons(monkeypatch):
    """Shorten the verification: the Gaussian under both hard gates, and the smallest proof."""
    from stbp_edu.verify import report

    monkeypatch.setattr(report, "NEURONS", report.NEURONS[-2:])
    monkeypatch.setattr(report, "SYMBOLIC", ((1, 1, 1), 2))


@pytest.fixture(autouse=True)
def _proofs_compile_in_slow_tests_only(request, monkeypatch):
    """Let proofs compile nothing in the quick loop: that takes seconds for each neuron."""
    module = sys.modules.get("stbp_edu.verify.proved_programs")
    if module and not request.node.get_closest_marker("slow"):
        monkeypatch.setattr(module, "installed", lambda: False)
