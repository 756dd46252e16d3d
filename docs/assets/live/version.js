// The reader's version of a notebook: its file, with the code that the cells of the page hold now.

// Code of the cells that were changed, by the ids that they have in the file.
function changed() {
  const cells = [...document.querySelectorAll(".cell[data-edited]")];
  return new Map(cells.map((cell) => [cell.dataset.cell, cell.querySelector(".cell-editor").value]));
}

// The outputs of other code do not belong to a changed cell.
export function withChanges(notebook, code = changed()) {
  const cells = notebook.cells.map((cell) => {
    if (!code.has(cell.id)) return cell;
    return { ...cell, source: code.get(cell.id), outputs: [], execution_count: null };
  });
  return { ...notebook, cells };
}

export function save(notebook, name) {
  const text = `${JSON.stringify(notebook, null, 1)}\n`;
  const href = URL.createObjectURL(new Blob([text], { type: "application/x-ipynb+json" }));
  Object.assign(document.createElement("a"), { href, download: `${name}.ipynb` }).click();
  URL.revokeObjectURL(href);
}

// Saves the notebook of this page, whose file as it was written lies beside the page.
export async function download(stem) {
  const answer = await fetch(`${stem}.ipynb`);
  if (!answer.ok) throw new Error(`${stem}.ipynb was not found`);
  save(withChanges(await answer.json()), `${stem}-mine`);
}
