// Shows what a cell produced, with the same markup that the build gives committed outputs.
const COLUMNS = /\S {2,}\S/;
const ORDER = ["text/html", "text/markdown", "image/svg+xml", "text/latex", "image/png", "text/plain"];

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

function figure(svg) {
  const root = new DOMParser().parseFromString(svg, "image/svg+xml").documentElement;
  const box = make("div", "out out-figure");
  if (root.nodeName !== "svg") return make("pre", "out out-error", "This figure is no valid SVG.");
  for (const script of root.querySelectorAll("script, foreignObject")) script.remove();
  if (!root.hasAttribute("role")) root.setAttribute("role", "img");
  if (!root.hasAttribute("aria-label")) root.setAttribute("aria-label", "Figure drawn by this cell");
  root.classList.add("figure");
  const live = root.querySelector("metadata[data-explorer]");
  if (live) Object.assign(box.dataset, { explorer: live.dataset.explorer, state: `{"data":${live.textContent}}` });
  live?.remove();
  box.append(document.importNode(root, true));
  return box;
}

function picture(base64, alt) {
  const image = new Image();
  image.src = `data:image/png;base64,${base64}`;
  image.alt = alt || "Figure drawn by this cell";
  image.className = "figure figure-plain";
  const box = make("div", "out out-figure");
  box.append(image);
  return box;
}

function rich(data) {
  const kind = ORDER.find((mime) => mime in data);
  const content = [data[kind]].flat().join("");
  if (kind === "image/svg+xml") return figure(content);
  if (kind === "image/png") return picture(content, data["text/plain"]);
  if (kind === "text/html") {
    const box = make("div", "out out-html");
    const parsed = document.createElement("template"); // nothing in it is loaded or obeyed yet
    parsed.innerHTML = content;
    // With these a browser knocks at another host before, or without, asking the page's policy.
    // The style of Jupyter is not that of the page.
    for (const element of parsed.content.querySelectorAll("link, meta, iframe[src], .stbp-style")) element.remove();
    for (const image of parsed.content.querySelectorAll("img.stbp-figure")) image.replaceWith(figure(decoded(image.src)));
    const alone = parsed.content.childNodes.length === 1 && parsed.content.querySelector(":scope > .out-figure");
    if (alone) return alone;
    box.append(parsed.content);
    if (box.textContent.includes("$$")) window.typesetMaths?.(box);
    return box;
  }
  if (kind === "text/plain") return text(make("pre", "out out-result"), content);
  const box = make("div", "out out-latex", content);
  box.setAttribute("role", "img");
  box.setAttribute("aria-label", content);
  window.typesetMaths?.(box);
  return box;
}

// Collects the output of one run. `show` takes the worker's messages.
export class Output {
  #refused = new Set();

  constructor(box) {
    this.box = box;
    this.box.replaceChildren();
  }

  show(message) {
    if (message.type === "stream") this.#text(message.text, `out-${message.name}`);
    if (message.type === "display") this.box.append(rich(message.data));
    if (message.type === "clear") this.box.replaceChildren();
  }

  error({ text }) {
    this.box.append(make("pre", "out out-error", text.trimEnd()));
  }

  hint(text, ...buttons) {
    const note = make("p", "cell-note", `${text} `);
    note.append(...buttons);
    this.box.append(note);
  }

  refused(host) {
    if (!this.#refused.has(host)) this.hint(`This page asks nothing of other hosts: ${host} was not reached.`);
    this.#refused.add(host);
  }

  #text(words, kind) {
    const last = this.box.lastElementChild;
    if (last?.classList.contains(kind)) text(last, words);
    else this.box.append(text(make("pre", `out ${kind}`), words));
  }
}
