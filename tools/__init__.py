"""What builds and checks the project; not part of the package.

- ``notebooks/``: executes the notebooks and checks the form of the course.
- ``pages/``: the results page and the performance page, made from the published records.
- ``site/``: builds, serves and checks the site.
- ``browser``: finds or installs the Chromium that the browser tests drive.
"""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
