"""What `import stbp_edu` costs and offers."""

import json
import subprocess
import sys

import stbp_edu

SHOW = """
import json, sys
before = set(sys.modules)
import numpy
numpy_alone = set(sys.modules)
import stbp_edu
new = {m.partition(".")[0] for m in set(sys.modules) - numpy_alone}
print(json.dumps(sorted(new - set(sys.stdlib_module_names))))
"""


def test_import_loads_numpy_alone():
    shown = subprocess.run(
        [sys.executable, "-c", SHOW], capture_output=True, text=True, check=True
    )
    assert json.loads(shown.stdout) == ["numpy", "stbp_edu"]


def test_every_public_name_exists_and_is_documented():
    assert set(stbp_edu.__all__) <= set(dir(stbp_edu))
    for name in stbp_edu.__all__:
        assert getattr(stbp_edu, name).__doc__
