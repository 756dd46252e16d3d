"""Checks and measurements of the built site.

- ``broken_links``: every link inside the site that leads nowhere.
- ``measure``: weights and times in a real browser; ``python -m tools.site.checks.measure``.
"""
