"""A reader's whole backward pass, checked case by case.

- ``network_report``: the check and what it reports;
- ``epsilon_fit``: find ε at every (t, n) from the gradients alone, and what it is made of.
"""

from stbp_edu.practice.network_check.network_report import (
    CaseReport,
    NetworkReport,
    check_network,
)

__all__ = ["CaseReport", "NetworkReport", "check_network"]
