// The backward sweep, cell by cell: which case holds, its formula with numbers, what flows in.
import { CASES, bracketed, frame, indexed, load, make, number, radios, rove, tight } from "./common.js";

const FORMULAS = {
  1: ["δ = −1/(TS) · (y − rate)", "ε = δ · h"],
  2: ["δ = Σ errⱼ · wⱼᵢ over the neurons j above", "ε = δ · h"],
  3: ["δ = −1/(TS) · (y − rate) + err(t+1) · u · f′", "ε = δ · h + ε(t+1) · f"],
  4: ["δ = Σ errⱼ · wⱼᵢ over the neurons j above + err(t+1) · u · f′", "ε = δ · h + ε(t+1) · f"],
};
const STYLE = `
.stbp-sweep { display: grid; gap: 0.5em; max-width: 42em; align-items: center; }
.stbp-sweep button { min-height: 4.6em; padding: 0.1em; border: 2px solid var(--x-line); line-height: 1.25; }
.stbp-sweep button span:first-child { white-space: nowrap; }
.stbp-sweep .done { border-color: var(--case); background: color-mix(in srgb, var(--tint) 20%, var(--x-ground)); }
.stbp-sweep :where([aria-current]) { outline: 3px solid var(--x-ink); outline-offset: 1px; }
.stbp-sweep .feeds { border-style: dashed; }
.stbp-sweep .axis { color: var(--x-soft); text-align: center; }
.stbp-sums { overflow-wrap: anywhere; }
.stbp-sums p { margin: 0.4em 0; padding-left: 0.8em; border-left: 3px solid var(--x-line); }
`;

const product = (factors) => factors.map(([, value], k) => (k ? bracketed(value) : number(value))).join(" · ");
const letters = (factors) => factors.map(([name]) => name).join(" · ");
const sum = (terms, write) => terms.map((term, k) => {
  const text = write(term.factors);
  return k && text.startsWith("−") && write === product ? `(${text})` : text;
}).join(" + "); // prettier-ignore

async function render({ model, el }) {
  const data = await load(model, "sweep");
  const { T, N } = data;
  let rule = "exact";
  let step = 0;
  const order = data.rules.exact.map(({ t, n }) => [t, n]);
  const at = (t, n) => order.findIndex(([a, b]) => a === t && b === n);

  const grid = make("div", { class: "stbp-sweep", role: "group", "aria-label": "The grid: steps to the right, layers upward", style: `grid-template-columns: 3em repeat(${T}, 1fr)` });
  const buttons = new Map();
  for (let n = N; n >= 1; n -= 1) {
    grid.append(make("span", { class: "axis" }, tight(`n = ${n}`)));
    for (let t = 1; t <= T; t += 1) {
      const button = make("button", {
        type: "button",
        onclick: () => go(at(t, n)),
        onkeydown: (event) => rove(event, { ArrowLeft: () => chosen(t - 1, n), ArrowRight: () => chosen(t + 1, n), ArrowUp: () => chosen(t, n + 1), ArrowDown: () => chosen(t, n - 1) }),
      }); // prettier-ignore
      buttons.set(`${t},${n}`, button);
      grid.append(button);
    }
  }
  grid.append(make("span"), ...Array.from({ length: T }, (_, k) => make("span", { class: "axis" }, tight(`t = ${k + 1}`))));

  const control = (words, to) => make("button", { type: "button", onclick: () => go(to()) }, words);
  const first = control("First", () => 0);
  const back = control("Back", () => step - 1);
  const forward = control("Next", () => step + 1);
  const last = control("Last", () => order.length - 1);
  const place = make("span", { class: "soft num" });
  const panel = make("div", { role: "status", class: "stbp-sums" });
  frame(el, "Explorer: the backward sweep", STYLE,
    make("p", { class: "soft" }, indexed(`A ${data.sizes.join("-")} network for ${T} steps${data.words ? `: ${data.words}` : ""}. Step back from the loss, one cell at a time; arrow keys move in the grid.`)),
    radios("What is passed on:", [["exact", "ε (exact)"], ["classic", tight("δ · h (classic)")]], rule, (value) => { rule = value; draw(); }),
    make("div", { class: "row" }, first, back, forward, last, place), grid, panel); // prettier-ignore

  function chosen(t, n) {
    if (buttons.has(`${t},${n}`)) go(at(t, n));
    return buttons.get(`${t},${n}`);
  }
  function go(to) {
    step = Math.max(0, Math.min(order.length - 1, to));
    draw();
  }

  function draw() {
    const cells = data.rules[rule];
    const current = cells[step];
    const feeds = new Set(current.neurons.flatMap((x) => [...x.delta, ...x.epsilon]).filter((term) => term.from).map((term) => term.from.join()));
    cells.forEach((cell, k) => {
      const name = `${cell.t},${cell.n}`;
      const button = buttons.get(name);
      const state = k === step ? "current" : k < step ? "done" : "to come";
      button.className = [k <= step ? "done" : "", feeds.has(name) ? "feeds" : ""].join(" ");
      const [tint, edge] = CASES[cell.case].map((name) => `var(--stbp-${name})`);
      button.style.setProperty("--tint", tint);
      button.style.setProperty("--case", edge);
      button.toggleAttribute("aria-current", k === step);
      if (k === step) button.setAttribute("aria-current", "step");
      button.tabIndex = k === step ? 0 : -1;
      button.setAttribute("aria-label", `t = ${cell.t}, n = ${cell.n}, case ${cell.case}, ${state}${feeds.has(name) ? ", sends error to the current cell" : ""}`);
      button.replaceChildren(make("span", {}, `case ${cell.case}`), ...(feeds.has(name) ? [make("br"), make("span", {}, "sends error")] : []));
    });
    for (const [button, off] of [[first, step === 0], [back, step === 0], [forward, step === order.length - 1], [last, step === order.length - 1]]) {
      button.setAttribute("aria-disabled", off);
    }
    place.textContent = `cell ${step + 1} of ${order.length}`;
    panel.replaceChildren(...describe(current, feeds));
  }

  function describe(cell, feeds) {
    const from = [...feeds].map((name) => tight(`(t = ${name.split(",")[0]}, n = ${name.split(",")[1]})`)).join(" and ");
    const [delta, epsilon] = FORMULAS[cell.case];
    const err = rule === "exact" ? "err = ε" : "err = δ · h";
    return [
      make("p", {}, make("strong", {}, tight(`Case ${cell.case} at t = ${cell.t}, n = ${cell.n}. `)), from ? `Error comes in from ${from}.` : "The error starts here, at the loss."),
      make("p", {}, tight(delta), make("br"), tight(epsilon), cell.case === 1 ? "" : ` (with ${tight(err)})`),
      ...cell.neurons.flatMap((x, k) => ["delta", "epsilon"].map((name) => {
        const result = x[`${name}Value`];
        const exact = data.rules.exact[step].neurons[k][`${name}Value`];
        const off = Math.abs(result - exact) > 1e-9 * Math.abs(exact) ? ` (exact: ${number(exact)})` : "";
        const letter = name === "delta" ? "δ" : "ε";
        return make("p", { class: "num", "data-value": name, "data-neuron": x.i }, `Neuron ${x.i}: ${letter} = ${sum(x[name], letters)} = ${sum(x[name], product)} = `, make("strong", {}, number(result)), off);
      })),
    ]; // prettier-ignore
  }
  draw();
}

export default { render };
