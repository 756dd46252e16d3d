"""Source files as pages, so that every link to a line of code works, offline too."""

import re
from pathlib import Path

from tools.site import ROOT
from tools.site.generate import front
from tools.site.generate.equation_places import Places
from tools.site.render.highlight import python


def files(places: dict[str, Places]) -> list[Path]:
    """Return the Python files that the site shows: the package, and the tests that it names."""
    named = {place.path for of_id in places.values() for place in of_id.tests}
    for text in (*(ROOT / "docs").glob("*.md"), *(ROOT / "notebooks").glob("*.ipynb")):
        named.update(re.findall(r"\btests/[\w/]+\.py", text.read_text(encoding="utf-8")))
    paths = {*(ROOT / "stbp_edu").rglob("*.py"), *(ROOT / name for name in named)}
    return sorted(p for p in paths if p.is_file() and p.read_text(encoding="utf-8").strip())


def page(path: Path, api: str) -> str:
    """Return the page of one source file: highlighted, every line with an anchor.

    ``api`` is the line under the title: a link to the module's description, where it has one.
    """
    name = path.relative_to(ROOT).as_posix()
    code = path.read_text(encoding="utf-8")
    html = python(code)
    lines = "\n".join(
        f'<span class="line" id="L{k}">{line}</span>' for k, line in enumerate(html.split("\n"), 1)
    )
    about = f"Source of {name}, with an anchor at every line."
    head = front(name, about, search={"exclude": True}, hide=["toc", "tags"])
    title = name.replace("_", r"\_").replace("/", "/<wbr>")  # to be read as Markdown
    head = head.replace(f"# {name}", f"# {title} {{ .source-title }}")
    body = f'<div class="source highlight no-copy"><pre><code>{lines}</code></pre></div>'
    return f"{head}{api}{body}\n"
