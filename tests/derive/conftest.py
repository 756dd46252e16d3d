"""In the quick loop proofs compile nothing: that takes seconds for each neuron."""

import pytest


@pytest.fixture(autouse=True)
def _compile_in_slow_tests_alone(request, monkeypatch):
    if not request.node.get_closest_marker("slow"):
        monkeypatch.setattr("stbp_edu.proof_of_programs.installed", lambda: False)
