"""``python -m stbp_edu.practice.explorers FOLDER``: write modules and data for the site."""

import sys

from stbp_edu.practice.explorers import export

if len(sys.argv) != 2:
    raise SystemExit("usage: python -m stbp_edu.practice.explorers FOLDER")
for path in export(sys.argv[1]):
    print(path)
