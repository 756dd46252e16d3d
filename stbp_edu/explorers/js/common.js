// What the explorers share: elements, numbers, colours, and where the values come from.
export const SVG = "http://www.w3.org/2000/svg";

export function make(tag, attributes = {}, ...children) {
  const svg = ["svg", "g", "circle", "rect", "line", "path", "text", "title", "polyline", "tspan", "marker"].includes(tag);
  const node = svg ? document.createElementNS(SVG, tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value !== false && value !== null && value !== undefined) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return node;
}

export const fill = (node, ...children) => node.replaceChildren(...children.flat());

// A notebook's page has its values with it, another page in the file beside the module.
export async function load(model, name) {
  const live = model.get("data");
  if (live) return live;
  const answer = await fetch(new URL(`${name}.json`, import.meta.url));
  if (!answer.ok) throw new Error(`The values of this explorer could not be read (${answer.status}).`);
  return answer.json();
}

// Four significant digits, with a real minus sign.
export function number(x) {
  return Number(x.toPrecision(4)).toString().replace("-", "−");
}

export const bracketed = (x) => (x < 0 ? `(${number(x)})` : number(x));

// "t = 1" stays on one line; so do the short products with which a formula begins.
export const tight = (words) => words.replace(/ (=|·) (?=[\dh])/g, "\u00a0$1\u00a0");

// The threshold with its index, in a line of HTML and in a picture.
export const indexed = (words) => make("span", {}, words.split("V_th").flatMap((part, k) => (k ? ["V", make("sub", {}, "th"), part] : [part])));
export const drawn = (after = "") => ["V", make("tspan", { dy: 3, "font-size": "0.75em" }, "th"), make("tspan", { dy: -3 }, after)];

// A name of its own, since equal names would make one radio group of all.
export const unique = (name) => `stbp-${name}-${Math.random().toString(36).slice(2)}`;

// A group of radio buttons with a legend.
export function radios(legend, options, chosen, change) {
  const name = unique("radio");
  return make("fieldset", {}, make("legend", {}, legend), options.map(([value, words]) =>
    make("label", {}, make("input", { type: "radio", name, value, checked: value === chosen, onchange: () => change(value) }), ` ${words}`)));
}

export function checkbox(words, checked, change) {
  return make("label", {}, make("input", { type: "checkbox", checked, onchange: (event) => change(event.target.checked) }), ` ${words}`);
}

// Arrow keys move between things that stand in a grid; one of them is in the tab order.
export function rove(event, moves) {
  const target = moves[event.key]?.();
  if (!target) return;
  event.preventDefault();
  target.focus();
}

// The term that an arrow brings: the class of its colour.
export const term = (from, to) =>
  to === "L" ? "direct" : from[0] === "u" && to[0] === "o" ? "spike" : from.split("-")[1] === to.split("-")[1] ? "next" : "above"; // prettier-ignore

// A graph as the package has laid it out: a group for each arrow, with its cross, and for each node.
export function graph({ box, at, arrows, words }, labels, attributes = {}) {
  const cross = ([x, y]) => make("path", { class: "cross", d: `M${x - 7} ${y - 7}l14 14m0 -14l-14 14` });
  const edges = arrows.map((arrow) => make("g", { class: "arrow" }, make("path", { class: "edge", d: arrow.d }), make("path", { class: "head", d: arrow.tip }), cross(arrow.cross)));
  const nodes = at.map(([x, y], k) => {
    const round = labels[k][0] === "o";
    const shape = (r, name) => round ? make("circle", { class: name, cx: x, cy: y, r }) : make("rect", { class: name, x: x - r + 1, y: y - r + 1, width: 2 * r - 2, height: 2 * r - 2, rx: 5 });
    return make("g", { class: labels[k] === "L" ? "node loss" : "node" }, shape(24, "ring"), shape(18, "shape"), make("text", { x, y: y + 5, "text-anchor": "middle" }, labels[k]));
  });
  const factors = arrows.map(({ beside, factor }) => beside && make("text", { class: "factor", x: beside[0], y: beside[1] + 5, "text-anchor": "middle" }, factor ?? ""));
  const axes = words.map(([x, y, anchor, text]) => make("text", { class: "axis", x, y, "text-anchor": anchor, "aria-hidden": "true" }, text));
  const between = make("g");
  const picture = make("svg", { viewBox: box.join(" "), style: `max-width: ${Math.round(1.25 * box[2])}px`, ...attributes }, edges, between, nodes, factors, axes);
  return { picture, edges, nodes, factors, between };
}
export const view = ([wide, narrow]) => (innerWidth < 480 ? narrow : wide);

const BASE = `
.stbp-x .direct { --p-colour: var(--stbp-direct); } .stbp-x .above { --p-colour: var(--stbp-above); } .stbp-x .next { --p-colour: var(--stbp-next); }
.stbp-x :is(.spike, .u, .o, .L) { --p-colour: var(--x-ink); }
.stbp-x { --x-ink: var(--ink, var(--jp-content-font-color1, #24292f)); --x-ground: var(--ground, var(--jp-layout-color0, #fff));
  --x-soft: var(--soft, var(--jp-content-font-color2, #575d66)); --x-line: var(--line, var(--jp-border-color1, #c9ccd1));
  --x-raised: var(--raised, var(--jp-layout-color2, #f3f4f6)); --x-accent: var(--accent, var(--jp-brand-color1, #00609c));
  --x-bad: var(--stbp-lost);
  color: var(--x-ink); font: var(--jp-content-font-size1, 0.72rem)/1.5 var(--sans, system-ui, sans-serif); border: 1px solid var(--x-line); border-radius: 6px; padding: 1em; margin: 1.2em 0; accent-color: var(--x-accent); }
.stbp-x :is(p, ol, ul, fieldset, figure, table) { margin: 0.6em 0; font-size: inherit; }
.stbp-x fieldset { border: 0; padding: 0; display: flex; flex-wrap: wrap; gap: 0.1em 1.2em; }
.stbp-x legend { float: left; padding: 0; line-height: 2.2em; color: var(--x-soft); }
.stbp-x label { display: inline-flex; align-items: center; gap: 0.4em; min-height: 2.2em; }
.stbp-x button { font: inherit; color: inherit; background: var(--x-ground); border: 1px solid var(--x-soft); border-radius: 4px; padding: 0.3em 0.7em; min-height: 2.2em; cursor: pointer; }
.stbp-x button[aria-disabled=true] { opacity: 0.45; cursor: default; }
.stbp-x :is(button, input, summary, [tabindex]):focus-visible { outline: 3px solid var(--x-accent); outline-offset: 2px; }
.stbp-x .row { display: flex; margin: 0.6em 0; flex-wrap: wrap; gap: 0.4em 1.1em; align-items: center; }
.stbp-x input[type=range] { min-height: 24px; } .stbp-x input:is([type=checkbox], [type=radio]) { width: 24px; height: 24px; margin: 0; }
.stbp-x .soft { color: var(--x-soft); }
.stbp-x .scroll { overflow-x: auto; }
.stbp-x .num { font-variant-numeric: tabular-nums; }
.stbp-x svg text { fill: currentColor; font-size: 15px; user-select: none; pointer-events: none; font-family: inherit; }
.stbp-x svg .factor { paint-order: stroke; stroke: var(--x-ground); stroke-width: 4px; } .stbp-x svg .axis { fill: var(--x-soft); }
.stbp-x svg { display: block; width: 100%; height: auto; } .stbp-x .edge { fill: none; stroke: var(--p-colour, var(--x-line)); stroke-width: 1.75; } .stbp-x .head { fill: var(--p-colour, var(--x-line)); }
.stbp-x .arrow :is(.edge, .head) { opacity: 0.4; } .stbp-x .arrow:is(.all, .some, .kept, .chosen, .walked, .lost) :is(.edge, .head) { opacity: 1; }
.stbp-x .cross, .stbp-x .ring { display: none; } .stbp-x .lost .cross { display: inline; stroke: var(--x-bad); stroke-width: 3; } .stbp-x .lost .edge { stroke: var(--x-bad); stroke-width: 2.25; stroke-dasharray: 6 4; } .stbp-x .lost .head { fill: var(--x-bad); }
.stbp-x .shape { fill: var(--x-ground); stroke: var(--x-soft); stroke-width: 1.5; } .stbp-x .ring { fill: #ffd84d; opacity: 0.6; }
.stbp-x .loss .shape { fill: var(--x-ink); } .stbp-x .loss text { fill: var(--x-ground); } .stbp-x .asked .ring { display: inline; } .stbp-x .asked .shape { stroke: var(--x-ink); stroke-width: 2.5; }
.stbp-x table { border-collapse: collapse; } .stbp-x :is(td, th) { padding: 0.2em 0.7em; text-align: right; border-bottom: 1px solid var(--x-line); font-weight: normal; }
@media (max-width: 30em) { .stbp-x { padding: 0.7em; } .stbp-x :is(td, th) { padding-inline: 0.3em; } }
@media (prefers-reduced-motion: no-preference) { .stbp-x button { transition: background-color 0.15s; } }
`;
// A case is filled in the colour of its first term and framed in that of its last.
export const CASES = { 1: ["direct", "direct"], 2: ["above", "above"], 3: ["direct", "next"], 4: ["above", "next"] };

export function frame(el, label, style, ...children) {
  // Inside .stbp-x an explorer's own rules win over BASE, which every explorer after it brings again.
  const rules = make("style", {}, `${BASE} .stbp-x { ${style} }`);
  const section = make("section", { class: "stbp-x", "aria-label": label }, rules, ...children);
  el.replaceChildren(section);
  return section;
}
