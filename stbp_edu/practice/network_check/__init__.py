"""A reader's whole backward pass, checked case by case."""

from stbp_edu.practice.network_check.report import CaseReport, NetworkReport, check_network

__all__ = ["CaseReport", "NetworkReport", "check_network"]
