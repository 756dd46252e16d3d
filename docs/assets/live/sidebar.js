// Marks in the list of notebooks how many of their exercises are right.
import { STATES, read } from "../explorers/saved.js";

const json = async (name) => (await fetch(new URL(name, import.meta.url))).json();

function count(exercises, kept) {
  const found = new Map();
  for (const { id, notebook, course } of exercises) {
    if (!course) continue;
    const { right, all } = found.get(notebook) ?? { right: 0, all: 0 };
    found.set(notebook, { right: right + (kept[id] === "right"), all: all + 1 });
  }
  return found;
}

function draw(exercises) {
  const found = count(exercises, read(STATES));
  for (const link of document.querySelectorAll(".md-nav--primary a.md-nav__link")) {
    const notebook = /notebooks\/(\d+)_\w+\/$/.exec(new URL(link.href).pathname)?.[1];
    const { right, all } = found.get(Number(notebook)) ?? { right: 0 };
    link.querySelector(".nav-done")?.remove();
    if (!right) continue;
    const mark = Object.assign(document.createElement("span"), { className: "nav-done", textContent: right === all ? "✓" : `${right}/${all}` });
    mark.setAttribute("role", "img");
    mark.setAttribute("aria-label", right === all ? "all exercises right" : `${right} of ${all} exercises right`);
    link.append(mark);
  }
}

let exercises; // fetched when something is to be marked
export async function markSidebar() {
  if (!Object.values(read(STATES)).includes("right") && !exercises) return;
  exercises ??= json("../explorers/exercises.json");
  draw(await exercises);
}
