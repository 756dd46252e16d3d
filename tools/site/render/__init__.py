"""Turns notebooks, docstrings and Markdown into the HTML of a page.

- ``notebook_reader``: reads a notebook into the Markdown of its page and its code cells.
- ``jupyter_markdown``: Jupyter's Markdown as Python-Markdown reads it, and as plain text.
- ``notebook_html``: the line under a notebook's title, and its code cells.
- ``cell_outputs``: committed outputs, with each figure for the light and the dark theme.
- ``highlight``: Python in colour, and where long names may break.
- ``maths``: spoken words for each formula; anchors and links for tagged equations.
- ``links``: links of the repository as links of the site.
- ``api_links``: links from the API to source lines and equations.
- ``content_policy``: the Content-Security-Policy of a page.
"""
