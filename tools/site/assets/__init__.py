"""Fetches what the pages need, and builds this project's wheel.

- ``vendor``: fonts and MathJax from npm, into ``PUBLIC``.
- ``pyodide``: Python for the browser, with the wheels that the cells import.
- ``own_wheel``: this project's wheel, and which libraries each of its modules imports.
- ``node``: finds Node.js, or fetches it from PyPI.

``package-lock.json`` has the versions and hashes of what comes from npm, ``pure-wheels.txt`` those
of what comes from PyPI.
"""
