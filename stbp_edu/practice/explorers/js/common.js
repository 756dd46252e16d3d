// What the explorers share: elements, numbers, colours, and where the values come from.
export const SVG = "http://www.w3.org/2000/svg";

export function make(tag, attributes = {}, ...children) {
  const svg = ["svg", "g", "circle", "rect", "line", "path", "text", "title", "polyline"].includes(tag);
  const node = svg ? document.createElementNS(SVG, tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value !== false && value !== null && value !== undefined) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return node;
}

export const fill = (node, ...children) => node.replaceChildren(...children.flat());

// Live values come from the notebook's kernel, those of a page from the file beside the module.
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

// Drawn, not counted: in Jupyter each explorer has a copy of this module, and equal names would make
// one radio group of all of them.
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

const BASE = `
.stbp-x { --x-ink: var(--ink, var(--jp-content-font-color1, #24292f)); --x-ground: var(--ground, var(--jp-layout-color0, #fff));
  --x-soft: var(--soft, var(--jp-content-font-color2, #575d66)); --x-line: var(--line, var(--jp-border-color1, #c9ccd1));
  --x-raised: var(--raised, var(--jp-layout-color2, #f3f4f6)); --x-accent: var(--accent, var(--jp-brand-color1, #00609c));
  --x-bad: var(--bad, color-mix(in srgb, #e0402f 75%, var(--x-ink)));
  color: var(--x-ink); font: 0.85rem/1.5 var(--sans, system-ui, sans-serif); border: 1px solid var(--x-line); border-radius: 6px; padding: 0.8rem; margin: 1rem 0; }
.stbp-x :is(p, ol, ul, fieldset, figure, table) { margin: 0.5rem 0; font-size: inherit; }
.stbp-x fieldset { border: 0; padding: 0; display: flex; flex-wrap: wrap; gap: 0.1rem 1rem; }
.stbp-x legend { float: left; padding: 0; line-height: 1.9rem; color: var(--x-soft); }
.stbp-x label { display: inline-flex; align-items: center; gap: 0.35rem; min-height: 1.9rem; }
.stbp-x button { font: inherit; color: inherit; background: var(--x-ground); border: 1px solid var(--x-soft); border-radius: 4px; padding: 0.25rem 0.6rem; min-height: 1.9rem; cursor: pointer; }
.stbp-x button[aria-disabled=true] { color: var(--x-soft); border-style: dashed; cursor: default; }
.stbp-x :is(button, input, summary, [tabindex]):focus-visible { outline: 3px solid var(--x-accent); outline-offset: 2px; }
.stbp-x .row { display: flex; margin: 0.5rem 0; flex-wrap: wrap; gap: 0.4rem 0.9rem; align-items: center; }
.stbp-x .soft { color: var(--x-soft); }
.stbp-x .scroll { overflow-x: auto; }
.stbp-x .num { font-variant-numeric: tabular-nums; }
.stbp-x svg text { fill: currentColor; font-size: 13px; font-family: inherit; }
.stbp-x table { border-collapse: collapse; } .stbp-x :is(td, th) { padding: 0.15rem 0.6rem; text-align: right; border-bottom: 1px solid var(--x-line); font-weight: normal; }
@media (prefers-reduced-motion: no-preference) { .stbp-x button { transition: background-color 0.15s; } }
`;
export const CASES = { 1: "var(--case-1, #d55e00)", 2: "var(--case-2, #b6679b)", 3: "var(--case-3, #0078be)", 4: "var(--case-4, #009068)" };

// In JupyterLab, arrows would move between cells and x would cut one while a button here has the focus:
// its shortcuts ask for any focused element, and it listens at the document while the event bubbles. So
// the event ends here. (data-lm-suppress-shortcuts would have to be on each focused element: the search
// begins there and ends at the attribute.) Keys with a modifier pass, so that Ctrl+S still saves.
const keep = (event) => event.ctrlKey || event.metaKey || event.altKey || event.stopPropagation();

export function frame(el, label, style, ...children) {
  // Inside .stbp-x an explorer's own rules win over BASE, which every explorer after it brings again.
  const rules = make("style", {}, `${BASE} .stbp-x { ${style} }`);
  const section = make("section", { class: "stbp-x", "aria-label": label, onkeydown: keep }, rules, ...children);
  el.replaceChildren(section);
  return section;
}
