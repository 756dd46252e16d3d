// Every path from a spike or a potential to the loss, and which of them a rule drops.
import { checkbox, frame, indexed, load, make, number, radios, rove, tight, unique } from "./common.js";

const STYLE = `
.stbp-paths svg { display: block; width: 100%; max-width: 40em; height: auto; }
.stbp-paths .edge { stroke: var(--x-line); stroke-width: 1.4; fill: none; }
.stbp-paths marker path { fill: var(--x-soft); fill: context-stroke; }
.stbp-paths .edge.kept { stroke: var(--x-accent); stroke-width: 2.2; }
.stbp-paths .edge.dropped { stroke: var(--x-bad); stroke-width: 2.6; stroke-dasharray: 5 4; }
.stbp-paths .edge.chosen { stroke: var(--x-ink); stroke-width: 3.5; }
.stbp-paths .edge.gone { stroke-dasharray: 9 5; }
.stbp-paths .node { fill: var(--x-ground); stroke: var(--x-soft); stroke-width: 1.6; }
.stbp-paths g[role=button] { cursor: pointer; }
.stbp-paths g[aria-pressed=true] .node { stroke: var(--x-ink); stroke-width: 3.5; fill: var(--x-raised); }
.stbp-paths g[role=button]:focus { outline: none; } .stbp-paths g[role=button]:focus-visible .node { stroke: var(--x-accent); stroke-width: 5; }
.stbp-paths ol { list-style: none; padding: 0; margin: 0.6em 0; max-height: 30em; overflow-y: auto; border-block: 1px solid var(--x-line); }
@media print { .stbp-paths ol { max-height: none; } }
.stbp-paths ol li { margin: 0.3em 0; }
.stbp-paths li button { display: block; width: 100%; text-align: left; border-color: var(--x-line); overflow-wrap: anywhere; }
.stbp-paths li button[aria-pressed=true] { border-color: var(--x-ink); background: var(--x-raised); }
.stbp-paths .is-dropped button { border-style: dashed; border-color: var(--x-bad); }
.stbp-paths .share { display: block; height: 0.3em; margin-top: 0.3em; background: var(--x-accent); border-radius: 2px; }
.stbp-paths .is-dropped .share { background: var(--x-bad); }
`;
const DY = 66, BEND = { carry: -26, reset: 16 };

async function render({ model, el }) {
  const data = await load(model, "paths");
  const [DX, GAP, LEFT] = innerWidth < 480 ? [86, 42, 50] : [130, 52, 62];
  const rows = [];
  for (let n = data.N; n >= 1; n -= 1) for (let i = data.sizes[n]; i >= 1; i -= 1) rows.push(`${n},${i}`);
  const TOP = 14 + 11 * data.T; // room for the long way from an early spike to the loss, over the top row
  const place = { L: { x: LEFT + data.T * DX + 10, y: 24, words: "the loss" } };
  for (const { id, kind, n, i, t } of data.nodes) {
    const x = LEFT + (t - 1) * DX + (kind === "o" ? GAP : 0);
    const words = `${kind === "o" ? "spike" : "potential"} ${i} at t = ${t}, n = ${n}`;
    place[id] = { x, y: TOP + 24 + rows.indexOf(`${n},${i}`) * DY, words, short: `${kind}${i}(${t},${n})`, kind, n, i, t };
  }
  const width = LEFT + data.T * DX + 40;
  const height = TOP + rows.length * DY + 20;
  let start = `o-1-1-1` in data.starts ? "o-1-1-1" : data.nodes[0].id;
  let rule = "classic";
  let reset = true;
  let leak = true;
  let chosen = null;
  const key = () => rule + (reset ? "" : " no-reset") + (leak ? "" : " no-leak");

  const arrow = unique("arrow");
  const head = make("marker", { id: arrow, viewBox: "0 0 10 10", refX: 35, refY: 5, markerWidth: 7, markerHeight: 7, markerUnits: "userSpaceOnUse", orient: "auto" }, make("path", { d: "M 0 0 L 10 5 L 0 10 z" }));
  const edges = new Map(data.edges.map((edge) => {
    const [a, b] = [place[edge.from], place[edge.to]];
    const bend = BEND[edge.kind] ?? (edge.to === "L" ? -0.12 * (b.x - a.x) : 0);
    const d = `M ${a.x} ${a.y} Q ${(a.x + b.x) / 2} ${(a.y + b.y) / 2 + bend} ${b.x} ${b.y}`;
    return [`${edge.from} ${edge.to}`, make("path", { class: "edge", d, "marker-end": `url(#${arrow})` })];
  }));
  const nodes = new Map(data.nodes.map(({ id }) => {
    const { x, y, kind, words, short } = place[id];
    const shape = kind === "o" ? make("circle", { class: "node", cx: x, cy: y, r: 16 }) : make("rect", { class: "node", x: x - 15, y: y - 15, width: 30, height: 30, rx: 3 });
    const group = make("g", { role: "button", "aria-label": `${short.slice(0, 2)}: ${words}`, onclick: () => pick(id), onkeydown: (event) => keys(event, id) },
      shape, make("text", { x, y: y + 4, "text-anchor": "middle" }, short.slice(0, 2)));
    return [id, group];
  })); // prettier-ignore
  const picture = make("svg", { viewBox: `0 0 ${width} ${height}`, role: "group", "aria-label": "The network unrolled in time: potentials are squares, spikes circles" },
    head, [...edges.values()], make("circle", { class: "node", cx: place.L.x, cy: place.L.y, r: 16 }), make("text", { x: place.L.x, y: place.L.y + 4, "text-anchor": "middle" }, "L"),
    data.sizes.slice(1).map((size, k) => make("text", { x: 2, y: TOP + 28 + (rows.indexOf(`${k + 1},1`) - (size - 1) / 2) * DY, "aria-hidden": "true" }, `n = ${k + 1}`)),
    Array.from({ length: data.T }, (_, k) => make("text", { x: LEFT + k * DX + GAP / 2, y: height - 4, "text-anchor": "middle", "aria-hidden": "true" }, `t = ${k + 1}`)),
    [...nodes.values()]); // prettier-ignore
  const result = make("div", { role: "status" });
  const list = make("ol", { "aria-label": "The paths, the largest first", tabindex: 0 });
  frame(el, "Explorer: paths to the loss", STYLE, make("div", { class: "stbp-paths" },
    make("p", { class: "soft" }, indexed(`A ${data.sizes.join("-")} network for ${data.T} steps${data.words ? `: ${data.words}` : ""}. Choose a potential (square) or a spike (circle); arrow keys move between them.`)),
    make("div", { class: "row" },
      radios("Rule:", [["exact", "exact"], ["classic", "classic"]], rule, (value) => { rule = value; draw(); }),
      checkbox("reset path", reset, (on) => { reset = on; draw(); }), checkbox("leak", leak, (on) => { leak = on; draw(); })),
    make("div", { class: "scroll", tabindex: 0, role: "group", "aria-label": "Graph" }, picture), result, list)); // prettier-ignore

  function pick(id) {
    start = id;
    chosen = null;
    draw();
  }
  function keys(event, id) {
    if (event.key === "Enter" || event.key === " ") return event.preventDefault(), pick(id);
    const { x, y } = place[id];
    const nearest = (ahead) => () => {
      const candidates = data.nodes.map((node) => node.id).filter((other) => other !== id && ahead(place[other].x - x, place[other].y - y));
      const far = (other) => Math.abs(place[other].x - x) * (ahead(1, 0) || ahead(-1, 0) ? 1 : 9) + Math.abs(place[other].y - y) * (ahead(1, 0) || ahead(-1, 0) ? 9 : 1);
      const next = candidates.sort((a, b) => far(a) - far(b))[0];
      if (next) pick(next);
      return next && nodes.get(next);
    };
    rove(event, { ArrowLeft: nearest((dx) => dx < 0), ArrowRight: nearest((dx) => dx > 0), ArrowUp: nearest((_, dy) => dy < 0), ArrowDown: nearest((_, dy) => dy > 0) });
  }
  const steps = (path) => path.nodes.slice(1).map((id, k) => `${path.nodes[k]} ${id}`);

  function draw() {
    const { paths, totals, adjoint } = data.starts[start];
    const kept = paths.filter((path) => path.kept.includes(key()));
    const dropped = paths.filter((path) => !path.kept.includes(key()));
    for (const edge of edges.values()) edge.setAttribute("class", "edge");
    // The last one to paint an edge wins: what any kept path uses is kept.
    for (const [some, name] of [[dropped, "dropped"], [kept, "kept"], [chosen ? [chosen] : [], dropped.includes(chosen) ? "chosen gone" : "chosen"]]) {
      for (const path of some) for (const step of steps(path)) edges.get(step).setAttribute("class", `edge ${name}`);
    }
    for (const [id, group] of nodes) {
      group.setAttribute("aria-pressed", id === start);
      group.setAttribute("tabindex", id === start ? 0 : -1);
    }
    const letter = place[start].kind === "o" ? "δ = dL/do" : "ε = dL/du";
    const share = dropped.reduce((all, path) => all + path.share, 0);
    const plural = (k) => `${k} path${k === 1 ? "" : "s"}`;
    result.replaceChildren(
      make("p", {}, make("strong", {}, tight(`${place[start].words[0].toUpperCase()}${place[start].words.slice(1)}: `)), `${plural(paths.length)} to the loss. `,
        "Their sum is ", make("strong", { class: "num", "data-value": "adjoint" }, number(adjoint)), ` = ${letter}.`),
      make("p", {}, dropped.length
        ? [`This setting keeps ${plural(kept.length)}, with the sum `, make("strong", { class: "num", "data-value": "total" }, number(totals[key()])), `; it drops ${plural(dropped.length)} (dashed), which carry `, make("strong", { "data-value": "share" }, `${(100 * share).toFixed(1)}\u00a0%`), " of the total size."]
        : [`This setting keeps every path: the sum is `, make("strong", { class: "num", "data-value": "total" }, number(totals[key()])), "."]),
    ); // prettier-ignore
    list.replaceChildren(...paths.map((path) => entry(path, dropped.includes(path))));
  }

  function entry(path, gone) {
    const way = path.nodes.map((id) => (id === "L" ? "L" : place[id].short)).join(" → ");
    const words = `${path.kinds.join(" · ")} = ${path.factors.map(number).join(" · ")} = ${number(path.value)}`;
    return make("li", { class: gone ? "is-dropped" : "" },
      make("button", { type: "button", "aria-pressed": String(path === chosen), onclick: (event) => {
        chosen = path === chosen ? null : path;
        const k = [...list.children].indexOf(event.currentTarget.parentNode);
        draw();
        list.children[k].querySelector("button").focus();
      } }, `${gone ? "dropped: " : ""}${way}`, make("br"), make("span", { class: "soft num" }, words),
      make("span", { class: "share", style: `width: ${(100 * path.share).toFixed(1)}%` }))); // prettier-ignore
  }
  draw();
}

export default { render };
