// The arrow board: which arrows a rule takes, the formulas that follow, what is kept and what is lost.
import { checkbox, frame, graph, indexed, load, make, number, radios, tight, unique } from "./common.js";

const STYLE = `
.stbp-board > div:first-child { max-width: 480px; margin: 0 auto; }
.stbp-board svg { overflow: visible; }
.stbp-board .all .edge, .stbp-board .some .edge { stroke-width: 3; }
.stbp-board .some .edge { stroke-dasharray: 9 3 2 3; }
.stbp-board svg .factor { font-size: 13px; }
.stbp-board p:has(+ .scroll) { margin-bottom: 0; }
.stbp-board .scroll { margin-bottom: 1em; }
.stbp-board table { margin-top: 0.2em; display: table; max-width: none; overflow: visible; } /* its box scrolls, and nothing in it */
.stbp-board :is(td, th) { padding: 0.2em 0.45em; }
.stbp-board :is(td, th):not(.num) { text-align: left; }
@media (max-width: 30em) { .stbp-board table { font-size: 0.86em; } .stbp-board :is(td, th) { padding-inline: 0.2em; } }
.stbp-board td.none { color: var(--x-bad); }
.stbp-board .formulas td { padding-block: 0.35em; white-space: nowrap; }
.stbp-board .cut td { border-top: 2px solid var(--x-soft); }
.stbp-board math { font-size: 1.08em; math-style: normal; }
@media (min-width: 30em) { .stbp-board math { font-size: 17px; } }
.rule { display: inline-flex; gap: 0.5em; min-width: 0; }
select { font: inherit; color: inherit; background: var(--x-ground); border: 1px solid var(--x-soft); border-radius: 4px; min-height: 2.2em; padding: 0 0.4em; max-width: 100%; }
select:focus-visible { outline: 3px solid var(--x-accent); outline-offset: 2px; }
`;
const OWN = "your own";
const LETTERS = { o: "the spike", u: "the potential", i: "the current", a: "the adaptation" };
// As MathML, which screen readers read, by the page's own MathJax.
const math = (tex) => {
  const holder = make("template");
  holder.innerHTML = MathJax.tex2mml(tex, { display: false });
  return holder.content.firstChild;
};

async function render({ model, el }) {
  const data = await load(model, "board");
  await window.typesetMaths(make("span")); // loads MathJax
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
    [...data.rules, OWN].map((name) => make("option", { value: name, selected: name === rule }, name))); // prettier-ignore
  const picture = make("div");
  const table = make("table");
  const said = make("div", { role: "status" });
  const values = make("table");
  const formulas = make("table", { class: "formulas" });
  const aboutArrows = make("p", { class: "soft" });
  const aboutValues = make("p", { class: "soft" });
  const aboutFormulas = make("p", { class: "soft" });
  const scroll = (label, child) => make("div", { class: "scroll", tabindex: 0, role: "group", "aria-label": label }, child);
  const folded = make("details", {}, make("summary", {}, "The formulas of this rule, case by case"), aboutFormulas, scroll("Table of the formulas", formulas));
  frame(el, "Explorer: the arrow board", STYLE,
    make("p", { class: "soft" }, indexed(tight(`The network: ${data.words}. Choose a neuron and a rule, or switch arrows off for a rule of your own.`))),
    radios("Neuron:", data.neurons.map((name) => [name, name]), neuron, (value) => { neuron = value; draw(); }),
    make("div", { class: "row" }, checkbox("recurrent weights", recurrent, (on) => { recurrent = on; draw(); }),
      make("span", { class: "rule" }, make("label", { for: id }, "Rule:"), select)),
    make("div", { class: "stbp-board" }, picture, aboutArrows, scroll("Table of the arrows", table), said,
      aboutValues, scroll("Table of the adjoints", values), folded)); // prettier-ignore

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
    aboutFormulas.textContent = states.length > 1 ? "The state of the rule is in brackets, where it is not the first." : "";
    folded.hidden = !now;
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
      make("thead", {}, make("tr", {}, ["arrow", ...head, "from → to", "factor"].map((words) => make("th", { scope: "col" }, words)))),
      make("tbody", {}, net().arrows.map((arrow, k) => make("tr", {}, make("th", { scope: "row" }, arrow.kind), states.map((state) => cell(arrow, state, k)),
        make("td", {}, ends(arrow).replaceAll(" ", "\u00a0")), make("td", {}, factor(arrow)))))); // prettier-ignore
  }
  const factor = (arrow) => math(rule !== OWN && net().rules[rule].forgets.includes(arrow.kind) ? "\\tau" : arrow.factor);

  function drawPicture(moves) {
    const { arrows, view, labels } = net();
    const taken = (k) => Object.values(moves).map((row) => row[k] !== null);
    const how = (k) => (taken(k).every(Boolean) ? "all" : taken(k).some(Boolean) ? "some" : "none");
    const list = (what) => arrows.filter((_, k) => how(k) === what).map((arrow) => arrow.kind).join(", ");
    const words = [["all", "takes"], ["some", "takes in some of its states"], ["none", "refuses"]].filter(([what]) => list(what)).map(([what, verb]) => `${verb} ${list(what)}`).join("; it ");
    const label = `The arrows that leave the states of a neuron at (t, n), to the next step at the right, to the layer above and, from the last layer, to the loss L. This rule ${words}.`;
    const drawn = graph(view, labels, { role: "img", "aria-label": label });
    arrows.forEach(({ to, step, layer, kind }, k) => {
      const term = to === "L" ? "direct" : layer ? "above" : step ? "next" : "spike";
      drawn.edges[k].setAttribute("class", `arrow ${term} ${how(k) === "none" ? "lost" : how(k)}`);
      drawn.factors[k].textContent = kind;
    });
    picture.replaceChildren(drawn.picture);
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
      make("p", {}, "The gradient of all weights and biases is off by ", make("strong", { "data-value": "off" }, percent(now.off)), " of the exact one’s length.")); // prettier-ignore
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
