"""Turns notebooks, formulas and links into the HTML of a page."""
