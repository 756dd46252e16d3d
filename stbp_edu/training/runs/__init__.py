"""Runs in folders: checkpoints, records and figures."""
