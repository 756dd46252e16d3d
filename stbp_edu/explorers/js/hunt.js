// The bug hunt as a game: find the wrong line, say how the bug shows, and go on to the next program.
import { fill, frame, load, make, unique } from "./common.js";

const STYLE = `
.stbp-hunt .lines { font: 13px/1.55 var(--md-code-font, var(--jp-code-font-family, monospace)); overflow-x: auto; border: 1px solid var(--x-line); border-radius: 4px; padding: 0.4em 0; }
.stbp-hunt .lines > label { display: flex; gap: 0; min-height: 24px; padding: 0 0.6em; white-space: pre-wrap; cursor: pointer; border-left: 4px solid transparent; }
.stbp-hunt .lines > label:hover { background: var(--x-raised); }
.stbp-hunt .lines input { position: absolute; opacity: 0; }
.stbp-hunt .lines span:first-of-type { flex: 0 0 2.4em; color: var(--x-soft); user-select: none; }
.stbp-hunt .lines span:last-of-type { padding-left: var(--indent); text-indent: calc(-1 * var(--hang)); margin-left: var(--hang); min-width: 0; overflow-wrap: anywhere; }
.stbp-hunt .lines > label:has(:checked) { background: var(--x-raised); border-left-color: var(--x-accent); font-weight: 600; }
.stbp-hunt .lines > label:has(:focus-visible) { outline: 3px solid var(--x-accent); outline-offset: -3px; }
.stbp-hunt select { font: inherit; color: inherit; background: var(--x-ground); border: 1px solid var(--x-soft); border-radius: 4px; min-height: 2.4em; max-width: 100%; padding: 0 0.4em; }
.stbp-hunt button.main { background: var(--x-accent); color: var(--x-ground); border-color: var(--x-accent); font-weight: 600; }
.stbp-hunt .said { border-left: 4px solid var(--x-line); padding: 0.2em 0.9em; min-height: 3em; }
.stbp-hunt .said strong { font-size: 1.15em; }
.stbp-hunt .said[data-state=right] { border-color: #1c6b45; } .stbp-hunt .said[data-state=wrong] { border-color: #a2450a; }
@media (max-width: 30em) { .stbp-hunt .lines span:last-of-type { padding-left: calc(var(--indent) / 2); } .stbp-hunt .lines span:first-of-type { flex-basis: 1.9em; } .stbp-hunt .lines > label { padding: 0 0.2em; } }
@media (pointer: coarse) { .stbp-hunt :is(button, select), .stbp-hunt .lines > label { min-height: 44px; align-items: center; } }
`;
const name = (k) => `hunt(${k + 1})`;
const code = (text) => make("code", {}, text);

// One line of the program, to be chosen.
function line(text, number, group, choose) {
  const indent = text.length - text.trimStart().length;
  const shown = make("span", { style: `--indent: ${indent}ch; --hang: 4ch` }, text.trimStart());
  return make("label", { "data-line": number },
    make("input", { type: "radio", name: group, value: number, onchange: () => choose(number) }),
    make("span", { "aria-hidden": "true" }, String(number)), shown); // prettier-ignore
}

async function render({ model, el }) {
  const data = await load(model, "hunt");
  // The page keeps what is found in the browser.
  const saved = model.get("saved") ?? null;
  const found = new Set();
  const isFound = (k) => (saved ? saved.read(saved.STATES)[name(k)] === "right" : found.has(k));
  const group = unique("hunt");
  const options = Object.entries(data.symptoms).map(([id, words]) => make("option", { value: id }, words));
  let k = -1, chosen = null; // prettier-ignore

  const head = make("strong", { tabindex: "-1" });
  const count = make("span", { class: "soft num" });
  const lines = make("div", { class: "lines", role: "radiogroup", "aria-label": "The lines of the program" });
  const symptom = make("select", { "aria-label": "How does it show?" }, make("option", { value: "" }, "How does it show?"), options);
  const said = make("div", { class: "said", role: "status" });
  const check = make("button", { type: "button", class: "main", onclick: verdict }, "Check");
  const next = make("button", { type: "button", onclick: goOn }, "Next program");
  const hint = make("button", { type: "button", onclick: () => tell("todo", "A hint.", hinted()) }, "Hint");
  frame(el, "Explorer: the bug hunt", STYLE, make("div", { class: "stbp-hunt" },
    make("div", { class: "row" }, head, count), lines, make("div", { class: "row" }, symptom, check, hint, next), said)); // prettier-ignore

  const bug = () => data.bugs[k];
  const hinted = () => [`The first wrong number: ${bug().first}.`];

  function following() {
    const places = data.bugs.map((_, step) => (k + 1 + step) % data.bugs.length);
    return places.find((place) => !isFound(place)) ?? (k + 1) % data.bugs.length;
  }

  // The next program begins above the button, out of sight on a small screen.
  function goOn() {
    show(following());
    head.focus({ preventScroll: true });
    head.scrollIntoView({ block: "nearest" });
  }

  function counted() {
    const total = data.bugs.filter((_, place) => isFound(place)).length;
    count.textContent = `${total} of ${data.bugs.length} found`;
  }

  function show(place) {
    [k, chosen] = [place, null];
    symptom.value = "";
    head.textContent = `Program ${k + 1}`;
    const { line: wrong, now } = bug();
    fill(lines, data.program.map((text, at) => {
      const indent = " ".repeat(text.length - text.trimStart().length);
      return line(at + 1 === wrong ? indent + now : text, at + 1, group, (number) => (chosen = number));
    })); // prettier-ignore
    tell("todo", "One line is wrong.", ["Click it, and say how the bug shows. Often several symptoms hold; any of them is right."]);
    counted();
  }

  function tell(state, first, more) {
    said.dataset.state = state;
    fill(said, make("p", {}, make("strong", {}, first)), more.map((words) => make("p", {}, words)));
  }

  function verdict() {
    const { line: wrong, symptoms, place, what, right } = bug();
    if (chosen === null || !symptom.value) return tell("todo", "Not yet.", ["Choose a line and a symptom first."]);
    const [lineRight, symptomRight] = [chosen === wrong, symptoms.includes(symptom.value)];
    if (lineRight && symptomRight) {
      found.add(k);
      saved?.keep(name(k), "right");
      counted();
      return tell("right", "✓ Found.", [`${place[0].toUpperCase()}${place.slice(1)}: ${what}.`, make("span", {}, "It should be ", code(right), "."), ...hinted()]);
    }
    saved?.keep(name(k), "wrong");
    const judged = [`Line ${chosen}: ${lineRight ? "this is the one" : "it is right"}.`, `Symptom: ${symptomRight ? "it shows like this" : "it does not show like this"}.`];
    tell("wrong", "Not yet.", judged);
  }

  show(following());
  saved && document.addEventListener("stbp-progress", counted);
}

export default { render };
