"""A reader's whole backward pass, checked case by case.

- ``network_report``: the check and what it reports;
- ``recover_epsilon``: find ε at every (t, n) from the gradients alone;
- ``case_fit``: find what each case's ε is made of.
"""

from stbp_edu.practice.network_check.network_report import (
    CaseReport,
    NetworkReport,
    check_network,
)

__all__ = ["CaseReport", "NetworkReport", "check_network"]
