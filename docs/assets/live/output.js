// Shows what a cell produced, with the same markup that the build gives committed outputs.
import { cleaned } from "./clean.js";

const COLUMNS = /\S {2,}\S/;
const ORDER = ["text/html", "text/markdown", "image/svg+xml", "text/latex", "image/png", "text/plain"];
const UNNAMED = "Figure drawn by this cell";

const make = (tag, className, text) => {
  const element = document.createElement(tag);
  element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
};

// A table keeps its columns, and scrolls where other text breaks its lines.
function text(box, words) {
  const lines = words.split("\n").filter((line) => COLUMNS.test(line)).length;
  box.dataset.columns = Number(box.dataset.columns ?? 0) + lines;
  if (box.dataset.columns > 1) box.classList.add("out-table");
  box.append(words);
  return box;
}

// The SVG in a figure's image.
function decoded(address) {
  const bytes = Uint8Array.from(atob(address.split(",")[1]), (letter) => letter.charCodeAt(0));
  return new TextDecoder().decode(bytes);
}

// What explorers need stands in scripts, as text, and is read before the output is cleaned.
function explorers(content) {
  const template = document.createElement("template"); // nothing in it is loaded or obeyed
  template.innerHTML = content;
  const found = template.content.querySelectorAll(".stbp-explorer > [data-explorer]");
  return [...found].map(({ dataset, textContent }) => ({ explorer: dataset.explorer, state: `{"data":${textContent}}` }));
}

function figure(svg) {
  const root = [...cleaned(svg).children].find(({ localName }) => localName === "svg");
  if (!root) return make("pre", "out out-error", "This figure is no valid SVG.");
  if (!root.hasAttribute("role")) root.setAttribute("role", "img");
  if (!root.hasAttribute("aria-label")) root.setAttribute("aria-label", UNNAMED);
  root.classList.add("figure");
  const box = make("div", "out out-figure");
  box.append(root);
  return box;
}

function picture(base64, alt) {
  const image = new Image();
  image.src = `data:image/png;base64,${base64}`;
  image.alt = alt || UNNAMED;
  image.className = "figure figure-plain";
  const box = make("div", "out out-figure");
  box.append(image);
  return box;
}

// The package's figures stand in images, which Jupyter shows; the page has them in its own colours.
function html(content) {
  const box = make("div", "out out-html");
  const played = explorers(content);
  box.append(cleaned(content));
  for (const [k, place] of box.querySelectorAll(".stbp-explorer").entries()) {
    const image = place.querySelector("img.stbp-figure");
    const shown = image ? figure(decoded(image.src)) : make("div", "out out-figure");
    Object.assign(shown.dataset, played[k]);
    place.replaceWith(shown);
  }
  for (const image of box.querySelectorAll("img.stbp-figure")) image.replaceWith(figure(decoded(image.src)));
  const alone = box.children.length === 1 && !box.textContent.trim() && box.querySelector(":scope > .out-figure");
  if (alone) return alone;
  if (box.textContent.includes("$$")) window.typesetMaths?.(box);
  return box;
}

function rich(data) {
  const kind = ORDER.find((mime) => mime in data);
  const content = [data[kind]].flat().join("");
  if (kind === "image/svg+xml") return figure(content);
  if (kind === "image/png") return picture(content, data["text/plain"]);
  if (kind === "text/html") return html(content);
  if (kind === "text/plain") return text(make("pre", "out out-result"), content);
  const box = make("div", "out out-latex", content);
  box.setAttribute("role", "img");
  box.setAttribute("aria-label", content);
  window.typesetMaths?.(box);
  return box;
}

// Collects the output of one run. What was there before stays, pale, until something new comes.
export class Output {
  #refused = new Set();
  #isOld = true;

  constructor(box) {
    this.box = box;
    box.style.minHeight = `${box.getBoundingClientRect().height}px`; // so nothing below it jumps
    box.toggleAttribute("data-old", true);
  }

  // Takes a message of the worker.
  show(message) {
    if (message.type === "stream") this.#text(message.text, `out-${message.name}`);
    if (message.type === "display") this.#append(rich(message.data));
    if (message.type === "clear") this.#clear();
  }

  // The error first; then where it happened, in the reader's own lines.
  error({ text, trace }) {
    const box = make("div", "out out-error");
    box.append(make("pre", "out-message", text.trimEnd()));
    if (trace) box.append(make("pre", "out-trace", trace.trimEnd()));
    this.#append(box);
  }

  hint(text) {
    this.#append(make("p", "cell-note", text));
  }

  refused(host) {
    if (!this.#refused.has(host)) this.hint(`This page asks nothing of other hosts: ${host} was not reached.`);
    this.#refused.add(host);
  }

  end() {
    if (this.#isOld) this.#clear();
    this.box.style.minHeight = "";
  }

  #clear() {
    this.#isOld = false;
    this.box.replaceChildren();
    this.box.removeAttribute("data-old");
  }

  #append(element) {
    if (this.#isOld) this.#clear();
    this.box.append(element);
  }

  #text(words, kind) {
    const last = this.box.lastElementChild;
    if (!this.#isOld && last?.classList.contains(kind)) text(last, words);
    else this.#append(text(make("pre", `out ${kind}`), words));
  }
}
