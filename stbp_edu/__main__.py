"""The command ``stbp-edu``, as ``python -m stbp_edu``."""

import sys

from stbp_edu.cli.main import main

sys.exit(main())
