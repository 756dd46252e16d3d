// The arrow board: which arrows a rule takes, the formulas that follow, what is kept and what is lost.
import { checkbox, frame, indexed, load, make, number, radios, tight, unique } from "./common.js";

const STYLE = `
.stbp-board { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 20em), 1fr)); gap: 0.6em 1.6em; align-items: start; }
.stbp-board > * { min-width: 0; }
.stbp-board svg { display: block; min-width: 22em; width: 100%; max-width: 34em; height: auto; }
.stbp-board .edge { fill: none; stroke: var(--x-accent); stroke-width: 2; }
.stbp-board .edge.some { stroke-dasharray: 9 3 2 3; }
.stbp-board .edge.none { stroke: var(--x-bad); stroke-dasharray: 4 4; }
.stbp-board marker path { fill: var(--x-soft); fill: context-stroke; }
.stbp-board .node { fill: var(--x-ground); stroke: var(--x-soft); stroke-width: 1.6; }
.stbp-board svg .kind { font-size: 12px; paint-order: stroke; stroke: var(--x-ground); stroke-width: 4px; }
.stbp-board svg .soft { fill: var(--x-soft); }
.stbp-board p:has(+ .scroll) { margin-bottom: 0; }
.stbp-board .scroll { margin-bottom: 1em; }
.stbp-board table { margin-top: 0.2em; }
.stbp-board :is(td, th) { padding: 0.2em 0.45em; }
.stbp-board :is(td, th):not(.num) { text-align: left; }
.stbp-board td.none { color: var(--x-bad); }
.stbp-board .formulas td { padding-block: 0.35em; white-space: nowrap; }
.stbp-board .cut td { border-top: 2px solid var(--x-soft); }
.stbp-board math { font-size: 1.08em; math-style: normal; }
.rule { display: inline-flex; gap: 0.5em; min-width: 0; }
select { font: inherit; color: inherit; background: var(--x-ground); border: 1px solid var(--x-soft); border-radius: 4px; min-height: 2.2em; padding: 0 0.4em; max-width: 100%; }
select:focus-visible { outline: 3px solid var(--x-accent); outline-offset: 2px; }
`;
const OWN = "your own";
const LETTERS = { o: "the spike", u: "the potential", i: "the current", a: "the adaptation" };
const HERE = { i: [40, 218], u: [40, 138], o: [130, 138], a: [130, 218] }; // the cell (t, n)
const STEP = 210; // to the cell (t + 1, n)
const UP = [130, 34]; // what the spike enters in the cell (t, n + 1)
const LOSS = [250, 34];
const BEND = { carry: -76, recur: 44, relax: 30 };
const LABEL = { weight: 0.72, readout: 0.62, adapt: 0.6 }; // where on an arrow its name stands, if not in the middle

const math = (text) => {
  const holder = make("template");
  holder.innerHTML = text; // by stbp_edu.arrows.mathml
  return holder.content.firstChild.cloneNode(true);
};

async function render({ model, el }) {
  const data = await load(model, "board");
  let neuron = data.neurons[0];
  let recurrent = false;
  let rule = "classic";
  let refused = new Set();
  const net = () => data.networks[neuron + (recurrent ? " recur" : "")];
  const kinds = () => net().arrows.map((arrow) => arrow.kind);
  const missing = () => kinds().find((kind) => refused.has(kind) && net().needed.includes(kind));
  // Without an arrow that every word needs, nothing is kept: there is no setting to show.
  function setting() {
    if (rule !== OWN) return net().rules[rule];
    return missing() ? null : net().own[kinds().filter((kind) => refused.has(kind)).join(" ")];
  }

  const id = unique("rule");
  const select = make("select", { id, onchange: () => choose(select.value) },
    [...Object.entries(data.titles), [OWN, OWN]].map(([name, title]) => make("option", { value: name, selected: name === rule }, title))); // prettier-ignore
  const picture = make("div", { class: "scroll", tabindex: 0, role: "group", "aria-label": "The arrows, drawn" });
  const table = make("table");
  const said = make("div", { role: "status" });
  const values = make("table");
  const formulas = make("table", { class: "formulas" });
  const aboutArrows = make("p", { class: "soft" });
  const aboutValues = make("p", { class: "soft" });
  const aboutFormulas = make("p", { class: "soft" });
  const scroll = (label, child) => make("div", { class: "scroll", tabindex: 0, role: "group", "aria-label": label }, child);
  frame(el, "Explorer: the arrow board", STYLE,
    make("p", { class: "soft" }, indexed(tight(`The network: ${data.words}. Choose a neuron and a rule, or switch arrows off for a rule of your own.`))),
    radios("Neuron:", data.neurons.map((name) => [name, name]), neuron, (value) => { neuron = value; draw(); }),
    make("div", { class: "row" }, checkbox("recurrent weights", recurrent, (on) => { recurrent = on; draw(); }),
      make("span", { class: "rule" }, make("label", { for: id }, "Rule:"), select)),
    make("div", { class: "stbp-board" },
      make("div", {}, picture, aboutArrows, scroll("Table of the arrows", table)),
      make("div", {}, said, aboutValues, scroll("Table of the adjoints", values), aboutFormulas, scroll("Table of the formulas", formulas)))); // prettier-ignore

  // Your own rule begins with what the rule before it refuses in its first state.
  function choose(name) {
    if (name === OWN) {
      const first = Object.values(net().rules[rule].moves)[0];
      refused = new Set(kinds().filter((_, k) => first[k] === null));
    }
    rule = name;
    draw();
  }

  function toggle(kind, on) {
    refused[on ? "delete" : "add"](kind);
    draw();
    table.querySelector(`[data-arrow="${kind}"]`).focus();
  }

  function draw() {
    const now = setting();
    const moves = now?.moves ?? { all: kinds().map((kind) => (refused.has(kind) ? null : "all")) };
    drawTable(moves);
    drawPicture(moves);
    drawValues(now);
    drawFormulas(now, Object.keys(moves));
  }

  function drawFormulas(now, states) {
    const brackets = states.length > 1 ? ". In brackets stands the state of the rule that an adjoint belongs to, if it is not the first" : "";
    aboutFormulas.textContent = now ? `The formulas of this rule, case by case${brackets}:` : "";
    formulas.replaceChildren(...(now?.lines ?? []).map((k, at, all) => {
      const [where, text] = data.lines[k];
      const cut = at > 0 && data.lines[all[at - 1]][0] !== where;
      return make("tr", { class: cut ? "cut" : null }, make("td", { class: "soft" }, tight(where)), make("td", {}, math(text)));
    })); // prettier-ignore
  }

  function drawTable(moves) {
    const states = Object.keys(moves);
    const head = states.length > 1 ? states.map((state) => `in “${state}”`) : ["taken"];
    const cell = (arrow, state, k) => {
      if (rule === OWN) return make("td", {}, make("label", {}, make("input", { type: "checkbox", "aria-label": `take ${arrow.kind}`, "data-arrow": arrow.kind, checked: moves[state][k] !== null, onchange: (event) => toggle(arrow.kind, event.target.checked) })));
      const to = moves[state][k];
      return make("td", { class: to === null ? "none" : "" }, to === null ? "✕ no" : to === state ? "yes" : `yes, then “${to}”`);
    }; // prettier-ignore
    const ends = ({ from, to, step, layer, many }) => `${from} → ${many ? "all " : ""}${to}${step ? " at t+1" : ""}${layer ? " above" : ""}`;
    aboutArrows.textContent = rule === OWN ? "The arrows. Your rule takes those that you leave on:" : `The arrows, and whether ${rule} takes them:`;
    table.replaceChildren(
      make("thead", {}, make("tr", {}, ["arrow", "from → to", "factor", ...head].map((words) => make("th", { scope: "col" }, words)))),
      make("tbody", {}, net().arrows.map((arrow, k) => make("tr", {}, make("th", { scope: "row" }, arrow.kind), make("td", {}, ends(arrow).replaceAll(" ", "\u00a0")),
        make("td", {}, factor(arrow)), states.map((state) => cell(arrow, state, k)))))); // prettier-ignore
  }
  const factor = (arrow) => math(rule !== OWN && net().rules[rule].forgets.includes(arrow.kind) ? "<math><mi>τ</mi></math>" : arrow.factor);

  function drawPicture(moves) {
    const { arrows, states } = net();
    const taken = (k) => Object.values(moves).map((row) => row[k] !== null);
    const how = (k) => (taken(k).every(Boolean) ? "all" : taken(k).some(Boolean) ? "some" : "none");
    const tip = unique("tip");
    const right = ([x, y]) => [x + STEP, y];
    const parts = arrows.map((arrow, k) => {
      const from = HERE[arrow.from];
      const to = arrow.to === "L" ? LOSS : arrow.layer ? UP : arrow.step ? right(HERE[arrow.to]) : HERE[arrow.to];
      const bend = BEND[arrow.kind] ?? 0;
      const [mx, my] = [(from[0] + to[0]) / 2, (from[1] + to[1]) / 2 + bend];
      const [w, h] = [Math.hypot(mx - from[0], my - from[1]), Math.hypot(to[0] - mx, to[1] - my)];
      const out = ([ax, ay], [bx, by], length, gap) => [ax + ((bx - ax) * gap) / length, ay + ((by - ay) * gap) / length];
      const [a, b] = [out(from, [mx, my], w, 17), out(to, [mx, my], h, 20)];
      const s = LABEL[arrow.kind] ?? 0.5;
      const at = [0, 1].map((k) => (1 - s) ** 2 * a[k] + 2 * s * (1 - s) * [mx, my][k] + s * s * b[k]);
      return [make("path", { class: `edge ${how(k)}`, d: `M ${a} Q ${mx} ${my} ${b}`, "marker-end": `url(#${tip})` }),
        make("text", { class: "kind", x: at[0], y: at[1] + 4, "text-anchor": "middle" }, `${how(k) === "none" ? "✕ " : ""}${arrow.kind}`)];
    }); // prettier-ignore
    const node = ([x, y], words) => [words === "o" || words === "L" ? make("circle", { class: "node", cx: x, cy: y, r: 15 }) : make("rect", { class: "node", x: x - 14, y: y - 14, width: 28, height: 28, rx: 3 }), make("text", { x, y: y + 4, "text-anchor": "middle" }, words)];
    const input = arrows.find((arrow) => arrow.layer).to;
    const nodes = [...states.flatMap(({ kind }) => [node(HERE[kind], kind), node(right(HERE[kind]), kind)]), node(UP, input), node(LOSS, "L")];
    const list = (what) => arrows.filter((_, k) => how(k) === what).map((arrow) => arrow.kind).join(", ");
    const words = [["all", "takes"], ["some", "takes in some of its states"], ["none", "refuses"]].filter(([what]) => list(what)).map(([what, verb]) => `${verb} ${list(what)}`).join("; it ");
    const bottom = states.some(({ kind }) => kind === "i" || kind === "a") ? 262 : 202;
    picture.replaceChildren(make("svg", { viewBox: `0 0 380 ${bottom}`, role: "img", "aria-label": `The arrows that leave the states of a neuron at (t, n), to the next step at the right, to the layer above and, from the last layer, to the loss L. This rule ${words}.` },
      make("marker", { id: tip, viewBox: "0 0 10 10", refX: 7, refY: 5, markerWidth: 8, markerHeight: 8, markerUnits: "userSpaceOnUse", orient: "auto" }, make("path", { d: "M 0 0 L 10 5 L 0 10 z" })),
      parts.map(([edge]) => edge), nodes.flat(), parts.map(([, text]) => text),
      make("text", { class: "soft", x: 85, y: bottom - 6, "text-anchor": "middle" }, "t, n"), make("text", { class: "soft", x: 85 + STEP, y: bottom - 6, "text-anchor": "middle" }, "t + 1, n"),
      make("text", { class: "soft", x: 108, y: 38, "text-anchor": "end" }, "t, n + 1"), make("text", { class: "soft", x: 272, y: 38 }, "if n = N"))); // prettier-ignore
  }

  function drawValues(now) {
    if (!now) {
      said.replaceChildren(make("p", {}, `Without ${missing()} no path reaches the loss: this rule keeps no word, and every gradient would be 0.`));
      aboutValues.textContent = "";
      return values.replaceChildren();
    }
    const percent = (x) => `${(100 * x).toFixed(1)}\u00a0%`;
    const [kept, dropped] = now.words;
    const forgets = now.forgets.length ? ` On ${now.forgets.join(" and ")} it puts τ in place of the factor, as if no spike had reset.` : "";
    said.replaceChildren(
      make("p", {}, make("strong", { "data-value": "words" }, `${kept} of ${kept + dropped}`), ` words are kept, from the first step of layer 1 to the loss. ${dropped ? "The shortest that is dropped: " : "None is dropped."}`,
        dropped ? make("em", { "data-value": "shortest" }, now.shortest) : null, dropped ? "." : null, forgets),
      make("p", {}, "The gradient of all weights and biases is off by ", make("strong", { "data-value": "off" }, percent(now.off)), " of the exact one’s length."),
      make("p", {}, `A gain limit of ${data.limit} would make neuron 1’s factors to the next step smaller at `, make("strong", { "data-value": "held" }, now.held.length ? `t = ${now.held.join(", ")}` : "no step"), ".")); // prettier-ignore
    const exact = net().rules.exact.nodes;
    aboutValues.textContent = tight("The adjoints of neuron 1 at t = 1, n = 1. Lost is the size of the dropped paths, out of the size of all, signs left aside:");
    values.replaceChildren(
      make("thead", {}, make("tr", {}, ["adjoint", "value", "exact", "lost", "paths kept", "dropped"].map((words, k) => make("th", { scope: "col", class: k ? "num" : "" }, words)))),
      make("tbody", {}, net().states.map(({ kind, adjoint }, k) => {
        const [value, paths, gone, lost] = now.nodes[k];
        return make("tr", {}, make("th", { scope: "row" }, math(adjoint), ` of ${LETTERS[kind]}`),
          [["value", number(value)], ["exact", number(exact[k][0])], ["lost", percent(lost)], ["kept", paths], ["dropped", gone]].map(([name, words]) =>
            make("td", { class: "num", "data-value": `${name}-${kind}` }, `${words}`)));
      }))); // prettier-ignore
  }
  draw();
}

export default { render };
