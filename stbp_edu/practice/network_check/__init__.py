"""A reader's whole backward pass, checked case by case.

- ``network_report``: the check and what it reports.

How ε is found at every (t, n) from the gradients alone is in
:mod:`stbp_edu.practice.grading.epsilon_fit`.
"""

from stbp_edu.practice.network_check.network_report import (
    CaseReport,
    NetworkReport,
    check_network,
)

__all__ = ["CaseReport", "NetworkReport", "check_network"]
