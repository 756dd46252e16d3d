// Every path from a spike or a potential to the loss, and which of them a rule drops.
import { checkbox, frame, graph, indexed, load, make, number, radios, rove, term, tight, view } from "./common.js";

const STYLE = `
.stbp-paths .kept .edge { stroke: var(--p-colour); stroke-width: 3; } .stbp-paths .kept .head { fill: var(--p-colour); }
.stbp-paths .chosen .edge { stroke: var(--x-ink); stroke-width: 3.75; } .stbp-paths .chosen .head { fill: var(--x-ink); }
.stbp-paths g[role=button] { cursor: pointer; }
.stbp-paths g[role=button]:focus { outline: none; } .stbp-paths g[role=button]:focus-visible .shape { stroke: var(--x-accent); stroke-width: 5; }
.stbp-paths ol { list-style: none; padding: 0; margin: 0.6em 0; max-height: 30em; overflow-y: auto; border-block: 1px solid var(--x-line); }
@media print { .stbp-paths ol { max-height: none; } }
.stbp-paths ol li { margin: 0.3em 0; }
.stbp-paths li button { display: block; width: 100%; text-align: left; border-color: var(--x-line); overflow-wrap: anywhere; }
.stbp-paths li button[aria-pressed=true] { border-color: var(--x-ink); background: var(--x-raised); }
.stbp-paths .is-dropped button { border-style: dashed; border-color: var(--x-bad); }
.stbp-paths .share { display: block; height: 0.3em; margin-top: 0.3em; background: var(--x-accent); border-radius: 2px; }
.stbp-paths .is-dropped .share { background: var(--x-bad); }
`;

async function render({ model, el }) {
  const data = await load(model, "paths");
  const shown = view(data.views);
  const place = { L: { words: "the loss" } };
  const states = data.nodes.map(({ id }) => id).filter((id) => id !== "L");
  states.forEach((id, k) => {
    const [x, y] = shown.at[k];
    const [kind, n, t, i] = id.split("-");
    place[id] = { x, y, words: `${kind === "o" ? "spike" : "potential"} ${i} at t = ${t}, n = ${n}`, short: `${kind}${i}(${t},${n})`, kind };
  });
  let start = `o-1-1-1` in data.starts ? "o-1-1-1" : states[0];
  let rule = "classic";
  let reset = true;
  let leak = true;
  let chosen = null;
  const keeps = ({ droppedBy, kinds }) => !droppedBy.includes(rule) && (reset || !kinds.includes("reset")) && (leak || !kinds.includes("carry"));

  const drawn = graph(shown, [...states.map((id) => place[id].short.slice(0, 2)), "L"], { role: "group", "aria-label": "The network unrolled in time: potentials are squares, spikes circles" });
  const edges = new Map(data.edges.map(({ from, to }, k) => [`${from} ${to}`, drawn.edges[k]]));
  const nodes = new Map(states.map((id, k) => [id, drawn.nodes[k]]));
  for (const [id, group] of nodes) {
    group.setAttribute("role", "button");
    group.setAttribute("aria-label", `${place[id].short.slice(0, 2)}: ${place[id].words}`);
    group.addEventListener("click", () => pick(id));
    group.addEventListener("keydown", (event) => keys(event, id));
  }
  const result = make("div", { role: "status" });
  const list = make("ol", { "aria-label": "The paths, the largest first", tabindex: 0 });
  frame(el, "Explorer: paths to the loss", STYLE, make("div", { class: "stbp-paths" },
    make("p", { class: "soft" }, indexed(`A ${data.sizes.join("-")} network for ${data.T} steps${data.words ? `: ${data.words}` : ""}. Choose a potential (square) or a spike (circle); arrow keys move between them.`)),
    make("div", { class: "row" },
      radios("Rule:", [["exact", "exact"], ["classic", "classic"]], rule, (value) => { rule = value; draw(); }),
      checkbox("reset path", reset, (on) => { reset = on; draw(); }), checkbox("leak", leak, (on) => { leak = on; draw(); })),
    make("div", { class: "scroll", tabindex: 0, role: "group", "aria-label": "Graph" }, drawn.picture), result, list)); // prettier-ignore

  function pick(id) {
    start = id;
    chosen = null;
    draw();
  }
  function keys(event, id) {
    if (event.key === "Enter" || event.key === " ") return event.preventDefault(), pick(id);
    const { x, y } = place[id];
    const nearest = (ahead) => () => {
      const candidates = states.filter((other) => other !== id && ahead(place[other].x - x, place[other].y - y));
      const far = (other) => Math.abs(place[other].x - x) * (ahead(1, 0) || ahead(-1, 0) ? 1 : 9) + Math.abs(place[other].y - y) * (ahead(1, 0) || ahead(-1, 0) ? 9 : 1);
      const next = candidates.sort((a, b) => far(a) - far(b))[0];
      if (next) pick(next);
      return next && nodes.get(next);
    };
    rove(event, { ArrowLeft: nearest((dx) => dx < 0), ArrowRight: nearest((dx) => dx > 0), ArrowUp: nearest((_, dy) => dy < 0), ArrowDown: nearest((_, dy) => dy > 0) });
  }
  const steps = (path) => path.nodes.slice(1).map((id, k) => `${path.nodes[k]} ${id}`);

  function draw() {
    const { paths, adjoint } = data.starts[start];
    const kept = paths.filter(keeps);
    const dropped = paths.filter((path) => !keeps(path));
    const size = (some) => some.reduce((sum, { value }) => sum + Math.abs(value), 0);
    const whole = size(paths) || 1;
    const total = number(kept.reduce((sum, { value }) => sum + value, 0));
    const paint = (step, name) => edges.get(step).setAttribute("class", `arrow ${term(...step.split(" "))} ${name}`);
    for (const step of edges.keys()) paint(step, "");
    // The last one to paint an edge wins: what any kept path uses is kept.
    for (const [some, name] of [[dropped, "lost"], [kept, "kept"], [chosen ? [chosen] : [], dropped.includes(chosen) ? "chosen lost" : "chosen"]]) {
      for (const path of some) for (const step of steps(path)) paint(step, name);
    }
    for (const [id, group] of nodes) {
      group.setAttribute("class", id === start ? "node asked" : "node");
      group.setAttribute("aria-pressed", id === start);
      group.setAttribute("tabindex", id === start ? 0 : -1);
    }
    const letter = place[start].kind === "o" ? "δ = dL/do" : "ε = dL/du";
    const share = size(dropped) / whole;
    const plural = (k) => `${k} path${k === 1 ? "" : "s"}`;
    result.replaceChildren(
      make("p", {}, make("strong", {}, tight(`${place[start].words[0].toUpperCase()}${place[start].words.slice(1)}: `)), `${plural(paths.length)} to the loss. `,
        "Their sum is ", make("strong", { class: "num", "data-value": "adjoint" }, number(adjoint)), ` = ${letter}.`),
      make("p", {}, dropped.length
        ? [`This setting keeps ${plural(kept.length)}, with the sum `, make("strong", { class: "num", "data-value": "total" }, total), `; it drops ${plural(dropped.length)} (dashed), which carry `, make("strong", { "data-value": "share" }, `${(100 * share).toFixed(1)}\u00a0%`), " of the total size."]
        : [`This setting keeps every path: the sum is `, make("strong", { class: "num", "data-value": "total" }, total), "."]),
    ); // prettier-ignore
    list.replaceChildren(...paths.map((path) => entry(path, dropped.includes(path), Math.abs(path.value) / whole)));
  }

  function entry(path, gone, share) {
    const way = path.nodes.map((id) => (id === "L" ? "L" : place[id].short)).join(" → ");
    const words = `${path.kinds.join(" · ")} = ${path.factors.map(number).join(" · ")} = ${number(path.value)}`;
    return make("li", { class: gone ? "is-dropped" : "" },
      make("button", { type: "button", "aria-pressed": String(path === chosen), onclick: (event) => {
        chosen = path === chosen ? null : path;
        const k = [...list.children].indexOf(event.currentTarget.parentNode);
        draw();
        list.children[k].querySelector("button").focus();
      } }, `${gone ? "dropped: " : ""}${way}`, make("br"), make("span", { class: "soft num" }, words),
      make("span", { class: "share", style: `width: ${(100 * share).toFixed(1)}%` }))); // prettier-ignore
  }
  draw();
}

export default { render };
