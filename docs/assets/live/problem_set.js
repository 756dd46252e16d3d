// Opens a problem set from a file as a page of live cells, and saves it as a file again.
import { cleaned } from "./clean.js";
import { box, button, paragraph, rename } from "./elements.js";
import { highlight } from "./highlight.js";
import { html } from "./markdown.js";
import { save, withChanges } from "./version.js";

const KEPT = "stbp-edu-problem-set"; // in storage: the file that was opened last
const NO_NOTEBOOK = "It is not a notebook. Choose the file that ends in .ipynb, as you were given it.";
const SAVED = "The file is in your downloads, and nothing was sent. Hand in that file.";
const place = document.querySelector("[data-problem-set]");
const told = paragraph("set-told");
const isShown = () => Boolean(place.querySelector(".set-cells"));

// The notebook in a file, without outputs; undefined where it is none.
function notebookOf(text) {
  try {
    const read = JSON.parse(text);
    const cells = read.cells.map((cell, k) => {
      const { outputs, execution_count, attachments, ...rest } = cell;
      const common = { ...rest, id: cell.id ?? `cell-${k}`, source: [cell.source].flat().join("") };
      return cell.cell_type === "code" ? { ...common, outputs: [], execution_count: null } : common;
    });
    return { ...read, cells, nbformat: 4, nbformat_minor: 5 };
  } catch {
    return undefined;
  }
}

const stored = () => { try { return JSON.parse(localStorage.getItem(KEPT)); } catch { return null; } }; // prettier-ignore

function keep(file) {
  try {
    localStorage.setItem(KEPT, JSON.stringify(file));
    return true;
  } catch {
    return false; // storage is full or switched off
  }
}

// What is written belongs to the file that was opened: another state of the same set begins as it is.
const mark = (text) => [...text].reduce((sum, letter) => (Math.imul(sum, 31) + letter.codePointAt(0)) >>> 0, 0).toString(36);

function markdownCell({ source }) {
  const element = box("set-text");
  element.append(cleaned(html(source)));
  return element;
}

function codeCell({ id, source }, number) {
  const code = Object.assign(document.createElement("code"), { innerHTML: highlight(source) });
  const pre = document.createElement("pre");
  pre.append(code);
  const cell = box("cell", box("cell-code no-copy", box("highlight", pre)), box("cell-strip"), box("cell-output"));
  Object.assign(cell, { id: `cell-${number}`, role: "group" });
  cell.setAttribute("aria-label", `Code cell ${number}`);
  Object.assign(cell.dataset, { cell: id, number });
  return cell;
}

// Where the page of a notebook has Run all and its menu.
function bar(name) {
  const menu = Object.assign(document.createElement("details"), { className: "live-menu" });
  const summary = document.createElement("summary");
  rename(summary, "⋯", "More about running this notebook");
  menu.append(summary, box("menu-items"));
  const made = box("live-bar", menu);
  Object.assign(made.dataset, { liveBar: "", notebook: name, noHelp: "" });
  return box("notebook-head", made);
}

function saving(notebook, name) {
  const field = Object.assign(document.createElement("input"), { value: name, spellcheck: false, autocomplete: "off" });
  const label = document.createElement("label");
  label.append("Name of the file ", field);
  const saved = () => {
    save(withChanges(notebook), field.value.trim().replace(/\.ipynb$/, "") || name);
    told.textContent = SAVED;
  };
  return box("set-save", label, button("Save as a file", "Save as a file", saved, "set-button"));
}

async function show({ name, text }) {
  const notebook = notebookOf(text);
  if (!notebook) return;
  let number = 0;
  const cells = notebook.cells.flatMap((cell) => {
    if (cell.cell_type === "markdown") return [markdownCell(cell)];
    return cell.cell_type === "code" ? [codeCell(cell, (number += 1))] : [];
  });
  const content = box("set-cells", ...cells);
  place.append(bar(`set-${mark(text)}`), content, saving(notebook, name));
  window.typesetMaths(content);
  await import("./page.js"); // makes the cells live that are there now
}

async function open(file) {
  const text = await file.text();
  const notebook = notebookOf(text);
  if (!notebook) return void (told.textContent = NO_NOTEBOOK);
  const opened = { name: file.name.replace(/\.ipynb$/, ""), text };
  const isKept = keep(opened);
  if (!isShown()) await show(opened);
  else if (isKept) location.reload();
  else told.textContent = "Reload the page before you open another file.";
}

function fill() {
  // No `accept`: phones do not know the kind of an .ipynb, and would not let it be chosen.
  const input = Object.assign(document.createElement("input"), { type: "file", hidden: true });
  input.setAttribute("aria-label", "File of the problem set");
  input.addEventListener("change", async () => {
    if (input.files[0]) await open(input.files[0]);
    input.value = ""; // so the same file, changed, can be chosen again
  });
  told.setAttribute("role", "status");
  place.append(button("Open a problem set (.ipynb)", "Open a problem set (.ipynb)", () => input.click(), "set-button"), input, told);
  const last = stored();
  if (last) show(last);
}

fill();
