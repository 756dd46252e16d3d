// The card that says how an answer was judged, with its hint and its solution.
import { STATES, read } from "../explorers/saved.js";
import { box, paragraph } from "./elements.js";

export const WORDS = { right: "right", wrong: "not right yet", todo: "not attempted yet" };
const EARLIER = {
  right: "You solved this before, in this browser.",
  wrong: "So it was when you last ran it. Run the cell to see what is wrong.",
};
// The sentence of stbp_edu.practice on the first situation in which an answer is wrong.
const FIRST = /First at t = (\d+)[^.]*?\bn = (\d+)[^.]*/;

export const isRight = (exercise) => read(STATES)[exercise] === "right";

// The card of an earlier visit, or nothing where there was no answer.
export function remembered(exercise) {
  const state = read(STATES)[exercise];
  if (!(state in EARLIER)) return undefined;
  const card = box("stbp-feedback");
  Object.assign(card.dataset, { exercise, state, remembered: "" });
  const head = paragraph("");
  head.append(Object.assign(document.createElement("strong"), { textContent: `${exercise}: ${WORDS[state]}.` }));
  card.append(head, paragraph("", EARLIER[state]));
  return card;
}

// Puts a small grid into a card whose words say at which (t, n) the answer is wrong first.
export function lightFirst(card) {
  const [place, t, n] = FIRST.exec(card.textContent) ?? [];
  if (!place || card.querySelector(".verdict-grid")) return;
  const steps = Number(/\bT = (\d+)/.exec(place)?.[1]);
  const sizes = /\b\d+(?:-\d+)+\b/.exec(place)?.[0].split("-"); // of a network, its input first
  const layers = Number(/\bN = (\d+)/.exec(place)?.[1] ?? sizes?.length - 1);
  if (steps >= t && layers >= n) card.querySelector("p").after(grid(Number(t), Number(n), steps, layers));
}

function grid(t, n, steps, layers) {
  const SVG = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(SVG, "svg");
  const set = (element, attributes) => Object.entries(attributes).forEach(([name, value]) => element.setAttribute(name, value));
  set(svg, { class: "verdict-grid", width: 120, height: 60, viewBox: "0 0 120 60", role: "img" });
  svg.setAttribute("aria-label", `Wrong first at step ${t}, layer ${n}, of ${steps} steps and ${layers} layers`);
  const [width, height] = [120 / steps, 60 / layers];
  for (let step = 1; step <= steps; step += 1) {
    for (let layer = 1; layer <= layers; layer += 1) {
      const cell = document.createElementNS(SVG, "rect");
      set(cell, { x: (step - 1) * width + 1, y: (layers - layer) * height + 1, width: width - 2, height: height - 2, rx: 2 });
      if (step === t && layer === n) cell.setAttribute("class", "lit");
      svg.append(cell);
    }
  }
  return svg;
}
