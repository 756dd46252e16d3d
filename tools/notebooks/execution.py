"""Execute notebooks so that the same source gives the same file, byte for byte."""

from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from stbp_edu.plotting.svg_figure import NARROW

METADATA = {  # as JupyterLab 4 writes it, so a notebook that is only looked at stays as it is
    "kernelspec": {
        "display_name": "Python 3 (ipykernel)",
        "language": "python",
        "name": "python3",
    },
    "language_info": {
        "codemirror_mode": {"name": "ipython", "version": 3},
        "file_extension": ".py",
        "mimetype": "text/x-python",
        "name": "python",
        "nbconvert_exporter": "python",
        "pygments_lexer": "ipython3",
        "version": "3.11.7",
    },
}
CELL_SECONDS = 120
FOLDED = "hide-input"  # the tag of a cell whose code is folded, as Jupyter Book has it


class NotebookError(Exception):
    """A notebook failed to run, or wrote to its error stream."""


def normalise(notebook: Any) -> Any:
    """Return the notebook without what differs from run to run or from machine to machine.

    A cell keeps its tags, and what makes JupyterLab fold its code; a figure what a phone shows.
    """
    notebook.metadata = nbformat.from_dict(METADATA)
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    for k, cell in enumerate(notebook.cells, start=1):
        cell.id = f"cell-{k:02d}"
        tags = cell.metadata.get("tags", [])
        metadata = {"tags": tags} if tags else {}
        if cell.cell_type == "code" and FOLDED in tags:
            metadata["jupyter"] = {"source_hidden": True}
        cell.metadata = nbformat.from_dict(metadata)
        for output in cell.get("outputs", []):
            if "data" in output:
                narrow = output.metadata.get(NARROW)
                output.metadata = nbformat.from_dict({NARROW: narrow} if narrow else {})
    return notebook


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
        coalesce_streams=True,
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
