// Keeps in this browser which exercises are done and what was predicted, and shows it where a page asks for it.
import { PREDICTIONS, STATES, exported, forget, imported, read, write } from "./saved.js";

const WORDS = { right: "right", wrong: "not right yet", todo: "not attempted yet" };

// A prediction that was not typed is chosen from buttons; where something was measured, it is held against it.
function predictions(root) {
  const found = root.matches?.("[data-prediction]") ? [root] : [];
  for (const box of [...found, ...(root.querySelectorAll?.("[data-prediction]") ?? [])]) {
    if ("shown" in box.dataset) continue;
    box.dataset.shown = "";
    (box.dataset.measured ? compare : ask)(box);
  }
}

function ask(box) {
  const { prediction: id, answer, choices, question } = box.dataset;
  const said = box.querySelector("[role=status]");
  const choose = (choice) => keepPredictions({ [id]: choice });
  const name = `prediction-${Math.random().toString(36).slice(2)}`;
  const buttons = JSON.parse(choices).map((value) => make("input", { type: "radio", name, value }));
  for (const button of buttons) button.addEventListener("change", () => choose(button.value));
  const options = buttons.map((button) => make("label", {}, button, ` ${button.value}`));
  box.append(make("fieldset", {}, make("legend", {}, question), ...options));
  const unanswered = said.firstElementChild; // the lines below it say how to type an answer
  let shown = null;
  const draw = () => {
    const choice = read(PREDICTIONS)[id];
    if (choice === shown) return;
    shown = choice;
    for (const button of buttons) button.checked = button.value === choice;
    if (!choice) return said.replaceChildren(unanswered);
    said.replaceChildren(make("p", {}, make("strong", {}, `${id}: you predicted “${choice}”.`)), make("p", {}, "Now measure."));
  };
  document.addEventListener("stbp-progress", draw);
  if (answer) choose(answer);
  else draw();
}

function compare(box) {
  const { prediction: id, answer, measured } = box.dataset;
  const head = box.querySelector("strong");
  const unanswered = [...head.childNodes];
  const draw = () => {
    const choice = answer || read(PREDICTIONS)[id];
    if (!choice) head.replaceChildren(...unanswered);
    else head.textContent = choice === measured ? `${id}: measured: “${measured}”, as you predicted.` : `${id}: you predicted “${choice}”; measured: “${measured}”.`;
  };
  document.addEventListener("stbp-progress", draw);
  draw();
}

export function keepPredictions(predictions) {
  write(PREDICTIONS, { ...read(PREDICTIONS), ...predictions });
}

// Takes back what was predicted by the questions in an element, and returns it.
export function takePredictions(root) {
  const kept = read(PREDICTIONS);
  const ids = [...root.querySelectorAll("[data-prediction][data-measured='']")].map(({ dataset }) => dataset.prediction);
  const taken = Object.fromEntries(ids.filter((id) => id in kept).map((id) => [id, kept[id]]));
  for (const id of ids) delete kept[id];
  if (ids.length) write(PREDICTIONS, kept);
  return taken;
}

const make = (tag, attributes = {}, ...children) => {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
};
const code = (text) => make("code", {}, text);
const fold = (summary, ...content) => make("details", {}, make("summary", {}, summary), ...content);
const json = async (name) => (await fetch(new URL(name, import.meta.url))).json();

// A title with its indices set as such, as the package wrote it.
const title = ({ html }) => document.createRange().createContextualFragment(html);

function table(label, exercises, kept, link) {
  const head = ["Notebook", "Exercise", "What", "State"].map((text) => make("th", {}, text));
  const body = exercises.map((exercise) => {
    const state = WORDS[kept[exercise.id]] ? kept[exercise.id] : "todo";
    const to = (...words) => (exercise.course ? link(exercise.notebook, exercise.id, ...words) : make("span", {}, ...words));
    const cells = [String(exercise.notebook), to(code(exercise.id)), to(title(exercise)), WORDS[state]];
    return make("tr", { "data-kept": state }, ...cells.map((content) => make("td", {}, content)));
  });
  return make("div", { class: "progress-table", tabindex: 0, role: "group", "aria-label": label },
    make("table", {}, make("thead", {}, make("tr", {}, ...head)), make("tbody", {}, ...body))); // prettier-ignore
}

// Save, read, forget. Nothing leaves the browser but the file that the reader asks for.
function choices(told) {
  const say = (text) => (told.textContent = text);
  const button = (label, action) => {
    const made = make("button", { type: "button", class: "live-button" }, label);
    made.addEventListener("click", () => Promise.resolve(action()).catch((fault) => say(`${fault.message}.`)));
    return made;
  };
  const file = make("input", { type: "file", accept: ".json,application/json", hidden: "", "aria-label": "File of progress" });
  file.addEventListener("change", async () => {
    try {
      imported(await file.files[0].text());
      say("What the file holds is added to what was here.");
    } catch (fault) {
      say(fault instanceof SyntaxError ? "It is no file of progress." : `${fault.message}.`);
    }
    file.value = "";
  });
  const save = button("Save as a file", () => {
    const href = URL.createObjectURL(new Blob([exported()], { type: "application/json" }));
    make("a", { href, download: "stbp-edu-progress.json" }).click();
    URL.revokeObjectURL(href);
    say("The file is in your downloads. Nothing was sent.");
  });
  const drop = button("Forget my progress", () => {
    if (confirm("Forget in this browser which exercises you have done, and what you predicted?")) forget(), say("");
  });
  return [save, button("Read a file", () => file.click()), drop, file];
}

async function show(place) {
  const [exercises, { notebooks }] = await Promise.all([json("exercises.json"), json("../site.json")]);
  const link = (notebook, id, ...words) => {
    const stem = notebooks.find((name) => Number.parseInt(name, 10) === notebook);
    return make("a", { href: new URL(`../../notebooks/${stem}/#exercise-${id}`, import.meta.url).href }, ...words);
  };
  const course = exercises.filter((exercise) => exercise.course);
  const more = exercises.filter((exercise) => !exercise.course);
  const told = make("p", { "aria-live": "polite" });
  const buttons = make("div", { class: "live-buttons" }, ...choices(told));
  const further = make("p", {}, "These are in no notebook. They are checked in the same way, by their names: ", code('check("gate-f", your_function)'),
    ". Those that end in ", code("-formula"), " ask for a formula: ", code('check_formula("c4-epsilon", "your formula")'), "."); // prettier-ignore
  const [here, others] = [make("div", {}), make("div", {})];
  const lists = [fold("Exercises of the notebooks", here), fold("More practice", further, others)]; // made once, so they stay open
  const draw = () => {
    const kept = read(STATES);
    const done = course.filter(({ id }) => kept[id] === "right").length;
    const next = course.find(({ id }) => kept[id] !== "right");
    const then = next ? [" Next: ", link(next.notebook, next.id, title(next)), ` (notebook ${next.notebook}, `, code(next.id), ")."] : [];
    const said = make("p", { role: "status" }, `${done} of ${course.length} right.`, ...then);
    const meter = make("progress", { max: course.length, value: done, "aria-label": "Exercises of the notebooks that are right" });
    const foretold = Object.entries(read(PREDICTIONS)).map(([id, choice]) => make("p", {}, "You predicted, ", code(id), `: ${choice}.`));
    const hunted = Object.entries(kept).filter(([id, state]) => id.startsWith("hunt(") && state === "right").length;
    if (hunted) foretold.unshift(make("p", {}, `Bugs found: ${hunted}.`));
    here.replaceChildren(table("Exercises of the notebooks", course, kept, link));
    others.replaceChildren(table("More exercises", more, kept, link));
    place.replaceChildren(said, meter, buttons, told, ...foretold, ...lists);
  };
  document.addEventListener("stbp-progress", draw);
  addEventListener("storage", draw);
  draw();
}

for (const place of document.querySelectorAll("[data-progress]")) show(place);
predictions(document.body);
new MutationObserver((changes) => {
  for (const { addedNodes } of changes) for (const node of addedNodes) predictions(node);
}).observe(document.body, { childList: true, subtree: true });
