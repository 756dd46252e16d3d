"""An explorer as a widget of Jupyter, of the ES module that the site's pages have."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from stbp_edu.plotting.palette import css

JS = Path(__file__).parent / "js"
IMPORT = 'from "./common.js";\n'


@cache
def widget_class(name: str) -> Any:
    """Return the anywidget class of an explorer."""
    try:
        import anywidget
        import traitlets
    except ImportError as error:
        raise ImportError(
            "explore needs anywidget: pip install 'stbp-edu[notebooks]'; on the site the "
            "explorers run without it"
        ) from error
    body = {"_esm": source(name), "data": traitlets.Dict().tag(sync=True)}
    return type(f"{name.title()}Explorer", (anywidget.AnyWidget,), body)


def source(name: str) -> str:
    """Return an explorer's ES module with what it imports, for anywidget."""
    common = (JS / "common.js").read_text(encoding="utf-8").replace("export ", "")
    colours = css('[data-jp-theme-light="false"]')
    common = common.replace('PALETTE = ""', f"PALETTE = {json.dumps(colours)}")
    module = (JS / f"{name}.js").read_text(encoding="utf-8")
    return common + module.split(IMPORT, 1)[-1]
