"""Run notebooks so that the same sources give the same file, byte for byte.

``python -m tools.notebooks run [files]``      execute in place; all of ``notebooks/`` by default
``python -m tools.notebooks build a.py b.ipynb``  make a notebook from a percent script, and run it
``python -m tools.notebooks source b.ipynb``   print the percent script of a notebook

A percent script holds the cells in order: ``# %%`` starts code, ``# %% [markdown]`` starts text
(each line behind ``# ``), and ``tags=long,browser-heavy`` on that line adds tags.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

ROOT = Path(__file__).resolve().parents[1]
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"file_extension": ".py", "mimetype": "text/x-python", "name": "python"},
}
WIDGET = "application/vnd.jupyter.widget-view+json"  # holds a random id
CELL_SECONDS = 120


class NotebookError(Exception):
    """A notebook failed to run, or wrote to its error stream."""


def from_percent(text: str) -> Any:
    """Return the notebook that a percent script describes."""
    cells = []
    for part in re.split(r"^# %%", text, flags=re.M)[1:]:
        head, _, body = part.partition("\n")
        body = body.strip("\n")
        found = re.search(r"tags=([\w,-]+)", head)
        tags = {"tags": found[1].split(",")} if found else {}
        if "[markdown]" in head:
            prose = "\n".join(re.sub(r"^# ?", "", line) for line in body.splitlines())
            cells.append(nbformat.v4.new_markdown_cell(prose, metadata=tags))
        else:
            cells.append(nbformat.v4.new_code_cell(body, metadata=tags))
    return nbformat.v4.new_notebook(cells=cells)


def to_percent(notebook: Any) -> str:
    """Return the percent script of a notebook, the inverse of :func:`from_percent`."""
    parts = []
    for cell in notebook.cells:
        tags = cell.metadata.get("tags", [])
        head = "# %%" + " [markdown]" * (cell.cell_type == "markdown")
        head += f" tags={','.join(tags)}" if tags else ""
        body = cell.source
        if cell.cell_type == "markdown":
            body = "\n".join(f"# {line}".rstrip() for line in body.splitlines())
        parts.append(f"{head}\n{body}\n")
    return "\n".join(parts)


def normalise(notebook: Any) -> Any:
    """Drop everything that could differ from run to run or from machine to machine."""
    notebook.metadata = nbformat.from_dict(METADATA)
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    for k, cell in enumerate(notebook.cells, start=1):
        cell.id = f"cell-{k:02d}"
        tags = cell.metadata.get("tags")
        cell.metadata = nbformat.from_dict({"tags": tags} if tags else {})
        if cell.cell_type == "code":
            cell.outputs = _merged(cell.outputs)
    return notebook


def _merged(outputs: list[Any]) -> list[Any]:
    """Join neighbouring pieces of one stream, and drop what is random."""
    merged: list[Any] = []
    for output in outputs:
        output.get("data", {}).pop(WIDGET, None)
        if "data" in output:
            output.metadata = nbformat.from_dict({})
        last = merged[-1] if merged else {}
        if output.output_type == "stream" and last.get("name") == output.name:
            last["text"] += output.text
        else:
            merged.append(output)
    return merged


def execute(notebook: Any, name: str, folder: Path) -> Any:
    """Run a notebook on a fresh kernel and return it normalised.

    Raises:
        NotebookError: if a cell raises, warns, or writes to the error stream.
    """
    client = NotebookClient(
        notebook,
        timeout=CELL_SECONDS,
        kernel_name="python3",
        record_timing=False,
        resources={"metadata": {"path": str(folder)}},
    )
    try:
        client.execute()
    except CellExecutionError as error:
        raise NotebookError(f"{name}: a cell failed\n{error}") from error
    for k, cell in enumerate(notebook.cells, start=1):
        for output in cell.get("outputs", []):
            if output.get("name") == "stderr":
                raise NotebookError(
                    f"{name}: cell {k} wrote to the error stream; mend the cause, do not hide it\n"
                    f"{output.text}"
                )
    return normalise(notebook)


def run(path: Path) -> None:
    """Execute a notebook file in place; the file stays as it was if anything goes wrong."""
    notebook = execute(nbformat.read(path, as_version=4), path.name, path.parent)
    nbformat.write(notebook, path)


def build(source: Path, target: Path) -> None:
    """Make a notebook from a percent script and run it."""
    notebook = execute(from_percent(source.read_text("utf-8")), source.name, target.parent)
    nbformat.write(notebook, target)


def main(argv: list[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.notebooks", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("run").add_argument("files", nargs="*", type=Path)
    builder = commands.add_parser("build")
    builder.add_argument("source", type=Path)
    builder.add_argument("target", type=Path)
    commands.add_parser("source").add_argument("file", type=Path)
    args = parser.parse_args(argv)
    try:
        if args.command == "run":
            for path in args.files or sorted((ROOT / "notebooks").glob("*.ipynb")):
                run(path)
                print(f"ran {path.name}", flush=True)
        elif args.command == "build":
            build(args.source, args.target)
        else:
            print(to_percent(nbformat.read(args.file, as_version=4)))
    except (NotebookError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
