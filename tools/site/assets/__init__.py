"""Fetches what the pages need, and builds this project's wheel."""
