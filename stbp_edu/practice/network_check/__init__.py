"""A reader's whole backward pass, checked case by case.

- ``network_report``: the check and what it reports;
- ``tensors``: the adapter for a loss in an autograd library.

How ε is found at every (t, n) from the gradients alone is in
:mod:`stbp_edu.practice.grading.epsilon_fit`.
"""

from stbp_edu.practice.network_check.network_report import (
    CaseReport,
    NetworkReport,
    check_network,
)
from stbp_edu.practice.network_check.tensors import by_autograd

__all__ = ["CaseReport", "NetworkReport", "by_autograd", "check_network"]
