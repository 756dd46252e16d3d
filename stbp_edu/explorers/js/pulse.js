// One error pulse that runs back from the loss and takes every path; under a rule, some end at a cross.
import { frame, graph, indexed, load, make, radios, term, tight, view } from "./common.js";

const STYLE = `
.stbp-pulse { max-width: 42em; margin: 0 auto; }
.stbp-pulse svg { margin: 0 auto; overflow: visible; } /* a value on its way at the edge */
.stbp-pulse .stage { border-radius: 6px; touch-action: pan-y; } .stbp-pulse .stage:focus-visible { outline: 3px solid var(--x-accent); outline-offset: 2px; }
.stbp-pulse .walked:not(.lost) .edge { stroke: var(--p-colour); stroke-width: max(3px, var(--p-width)); } .stbp-pulse .walked:not(.lost) .head { fill: var(--p-colour); }
.stbp-pulse .node .shape { stroke: var(--x-line); } .stbp-pulse .on .shape { stroke: var(--x-soft); }
.stbp-pulse .lit .shape { stroke: var(--p-colour); stroke-width: 3.2; fill: color-mix(in srgb, var(--p-colour) calc(14% + 30% * var(--p-weight)), var(--x-ground)); }
.stbp-pulse .lit.loss .shape { fill: var(--x-ink); }
.stbp-pulse .copy circle { fill: var(--p-colour); } .stbp-pulse .copy.nothing circle { fill: var(--x-ground); stroke: var(--p-colour); stroke-width: 2; }
.stbp-pulse .value { font-weight: 600; paint-order: stroke; stroke: var(--x-ground); stroke-width: 5px; stroke-linejoin: round; font-variant-numeric: tabular-nums; }
.stbp-pulse .said { min-height: 3em; margin: 0.4em 0; } .stbp-pulse .end { font-weight: 600; }
.stbp-pulse details { margin: 0.4em 0; padding: 0; border: 0; background: none; font-size: inherit; }
.stbp-pulse summary { display: list-item; list-style: disclosure-closed inside; margin: 0; padding: 0.2em 0; background: none; font: inherit; color: var(--x-soft); cursor: pointer; }
.stbp-pulse [open] > summary { list-style-type: disclosure-open; } .stbp-pulse summary::before, .stbp-pulse summary::after { display: none; }
.stbp-pulse ol { padding-left: 1.6em; overflow-wrap: anywhere; }
.stbp-pulse .play { min-width: 5.5em; } .stbp-pulse kbd { font: inherit; border: 1px solid var(--x-line); border-radius: 3px; padding: 0 0.35em; background: none; box-shadow: none; color: inherit; }
`;
const NAMES = { exact: "exact: passes back ε", classic: "classic: passes back δ · h" };
const MOVE = 1300, REST = 900; // milliseconds
const LOWER = 16; // pixels
const CROSSED = " Under this rule a potential passes to a spike only what came through its own spike; what was carried to it ends at a cross.";
const counted = (k, one, many = `${one}s`) => `${k} ${k === 1 ? one : many}`;
const smooth = (x) => x * x * (3 - 2 * x);

async function render({ model, el }) {
  const data = await load(model, "pulse");
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  let rule = data.rule;
  let step = 0;
  let gone = 0; // of the way to the next step, while it moves or stands paused
  let playing = false;
  let clock = 0;
  const level = (k) => data.edges[k].from[0] === "u" && data.edges[k].to[0] === "u"; // a carry
  const steps = () => data.rules[rule].steps;
  const last = () => steps().length - 1;

  const used = new Set(data.used);
  const touched = new Set(data.used.flatMap((k) => [data.edges[k].from, data.edges[k].to]));
  const shown = view(data.views);
  // Below the lowest nodes there is room for their values, and the words of the columns stand under it.
  const [x, top, width, height] = shown.box;
  const drawn = graph({ ...shown, box: [x, top, width, height + LOWER] }, data.nodes.map(({ label }) => label), { "aria-hidden": "true" });
  for (const word of drawn.picture.querySelectorAll(".axis[text-anchor=middle]")) word.setAttribute("dy", LOWER);
  const edges = data.edges.map(({ from, to, symbol }, k) => {
    if (used.has(k)) drawn.factors[k].textContent = symbol;
    return { group: drawn.edges[k], way: drawn.edges[k].querySelector(".edge"), base: `arrow ${term(from, to)}${used.has(k) ? " used" : ""}` };
  });
  const nodes = new Map(data.nodes.map(({ id, name }, k) => {
    const [x, y] = shown.at[k];
    return [id, { group: drawn.nodes[k], x, y, name, base: `node ${id === "L" ? "loss " : ""}${id[0]}${touched.has(id) ? " on" : ""}${id === data.start ? " asked" : ""}` }];
  })); // prettier-ignore
  const goal = nodes.get(data.start).name;
  const copies = drawn.between;
  const values = make("g");
  drawn.picture.append(values);
  const stage = make("div", { class: "scroll stage", tabindex: 0, role: "group", "aria-label": `The graph, unrolled in time. The pulse runs back from L to ${goal}. ${still.matches ? "The" : "Space plays and pauses, the"} arrow keys step.` }, drawn.picture);

  const button = (words, act, name = "") => make("button", { type: "button", class: name, onclick: act }, words);
  const first = button("First", () => go(0));
  const back = button("Back", () => go(gone ? step : step - 1));
  const play = button("Play", () => toggle(), "play");
  const next = button("Next", () => ahead());
  const place = make("span", { class: "soft num" });
  const said = make("p", { role: "status", class: "said" });
  const list = make("ol", { class: "num" });
  const details = make("details", {}, make("summary", {}, "This step, arrow by arrow"), list);
  const section = frame(el, "Explorer: one error pulse", STYLE, make("div", { class: "stbp-pulse" },
    radios("Rule:", Object.keys(data.rules).map((name) => [name, tight(NAMES[name] ?? name)]), rule, (value) => { rule = value; go(0); }),
    stage, make("div", { class: "row" }, first, back, play, next, place), said, details,
    make("p", { class: "soft" }, ...keysShown(), data.words ? indexed(` The network: ${data.words}.`) : ""))); // prettier-ignore
  section.addEventListener("keydown", keys, true);
  stage.addEventListener("pointerdown", (event) => { stage.setPointerCapture(event.pointerId); drag(event); });
  stage.addEventListener("pointermove", (event) => { if (stage.hasPointerCapture(event.pointerId)) drag(event); });
  still.addEventListener("change", () => { halt(); draw(); });

  function keysShown() {
    return [...(still.matches ? [] : [make("kbd", {}, "space"), " plays and pauses, "]), make("kbd", {}, "←"), " and ", make("kbd", {}, "→"), " step; a drag over the graph follows the pulse."];
  }
  // From the right to the left, as far as the pulse runs back in all.
  function drag({ clientX }) {
    const { left, width } = drawn.picture.getBoundingClientRect();
    const way = last() * Math.max(0, Math.min(1, 1 - (clientX - left) / width));
    go(still.matches ? Math.round(way) : Math.floor(way));
    gone = still.matches ? 0 : way - step;
    if (!gone) return;
    show(steps()[step + 1].moves);
    move(steps()[step + 1].moves);
    controls();
  }
  function keys(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input")) return;
    const space = event.key === " " && !event.target.matches("button, summary");
    const act = space ? toggle : { ArrowRight: ahead, ArrowLeft: () => go(gone ? step : step - 1), Home: () => go(0), End: () => go(last()) }[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  }

  function halt() {
    cancelAnimationFrame(clock);
    clearTimeout(clock);
    playing = false;
  }
  function go(to) {
    halt();
    gone = 0;
    step = Math.max(0, Math.min(last(), to));
    draw();
  }
  function toggle() {
    if (still.matches) return ahead(); // nothing moves: the key steps
    if (playing) return halt(), draw();
    if (step === last()) step = 0;
    playing = true;
    draw();
    run();
  }
  // To the end of the step that is under way, or of the next one.
  function ahead() {
    const wasMoving = gone > 0;
    if (step === last()) return go(last());
    halt();
    if (still.matches) return go(step + 1);
    if (wasMoving) {
      go(step + 1); // each press is one step, however quick
      if (step === last()) return;
    }
    draw();
    run();
  }
  function run() {
    const moves = steps()[step + 1].moves;
    show(moves);
    const begun = performance.now() - gone * MOVE;
    const tick = (now) => {
      if (!section.isConnected) return halt();
      gone = Math.min(1, Math.max(gone, (now - begun) / MOVE));
      move(moves);
      if (gone < 1) clock = requestAnimationFrame(tick);
      else arrive();
    };
    clock = requestAnimationFrame(tick);
  }
  function arrive() {
    gone = 0;
    step += 1;
    if (step === last()) playing = false;
    draw();
    if (playing) clock = setTimeout(run, REST);
  }

  // The copies of one step, where they are on their way.
  function show(moves) {
    const beside = (edge) => {
      if (level(edge)) return { y: -19, "text-anchor": "middle" };
      const { x } = nodes.get(data.edges[edge].from);
      const upright = x === nodes.get(data.edges[edge].to).x && x > 90; // its factor is to the right
      return upright ? { x: -13, y: 5, "text-anchor": "end" } : { x: 13, y: -9 };
    };
    // What leaves a node is no longer at it; only what has arrived stays.
    values.replaceChildren();
    for (const item of steps()[step].rest) if (item.node === data.start) label(item);
    copies.replaceChildren(...moves.map(({ edge, label: words, weight }) => make("g", { class: `copy ${term(data.edges[edge].from, data.edges[edge].to)}${words === "0" ? " nothing" : ""}` },
      make("circle", { r: 4 + 7 * weight }), make("text", { class: "value", ...beside(edge) }, words)))); // prettier-ignore
    moves.forEach(({ edge, ends }) => edges[edge].group.setAttribute("class", `${edges[edge].group.getAttribute("class")}${ends ? " lost" : ""}`));
  }
  function move(moves) {
    moves.forEach(({ edge, ends }, k) => {
      const { way } = edges[edge];
      const [long, [x, y]] = [way.getTotalLength(), shown.arrows[edge].cross];
      const from = way.getPointAtLength(long);
      const end = ends ? (Math.hypot(from.x - x, from.y - y) - 9) / long : 1; // before its cross
      const at = way.getPointAtLength(long * (1 - end * smooth(Math.min(1, ends ? gone * 1.6 : gone))));
      copies.children[k].setAttribute("transform", `translate(${at.x.toFixed(1)} ${at.y.toFixed(1)})`);
      if (ends) copies.children[k].setAttribute("opacity", Math.max(0, Math.min(1, 3 - 3 * gone)));
    });
  }
  function label({ node, label: words }) {
    const { x, y } = nodes.get(node);
    const [anchor, [dx, dy]] = node === data.start ? ["middle", [0, -31]] : data.values[node[0]];
    values.append(make("text", { class: "value", x: x + dx, y: y + dy, "text-anchor": anchor }, words));
  }

  // What happens in a step, in words: in all, and arrow by arrow.
  const home = ({ edge, ends }) => data.edges[edge].from === data.start && !ends;
  function told(k) {
    const all = steps();
    if (k === 0) return `The error starts at the loss L with the value 1. It runs back to ${goal}, one arrow a step, and each arrow multiplies it by its factor.${rule === "classic" ? CROSSED : ""}`;
    const { moves, rest } = all[k];
    const arrive = moves.filter(home).length;
    const end = moves.filter(({ ends }) => ends).length;
    const kinds = [[moves.length - arrive - end, "copy goes on", "copies go on"], [arrive, "arrives", "arrive"], [end, "ends at a cross", "end at crosses"]];
    const words = kinds.filter(([many]) => many).map((kind) => counted(...kind)).join(", ");
    const arrived = all.slice(0, k + 1).flatMap(({ moves }) => moves).filter(home).reduce((sum, { paths }) => sum + paths, 0);
    const soFar = arrived && k < last() ? ` So far ${arrived} of ${counted(data.paths, "path")}, sum ${rest.find(({ node }) => node === data.start).label}.` : "";
    return `Step ${k} of ${last()}: ${words}.${soFar}`;
  }
  function line(move) {
    const { from, to, symbol } = data.edges[move.edge];
    const [tail, head] = [from, to].map((id) => nodes.get(id).name);
    if (move.ends) return `On the way from ${head} to ${tail} a copy ends at the cross, and with it ${counted(move.paths, "path")} worth ${move.worth}.`;
    const factor = move.factor[0] === "−" ? `(${move.factor})` : move.factor;
    return `From ${head} to ${tail}, ${symbol}: ${move.before} · ${factor} = ${move.label}.${home(move) ? " It has arrived." : ""}`;
  }

  // Everything as it stands when a step is over.
  function draw() {
    const shown = data.rules[rule];
    const { rest, moves } = shown.steps[step];
    const walked = new Map();
    const lost = new Set();
    for (const { moves } of shown.steps.slice(0, step + 1)) for (const { edge, weight, ends } of moves) {
      if (ends) lost.add(edge);
      else walked.set(edge, Math.max(weight, walked.get(edge) ?? 0));
    }
    edges.forEach(({ group, base }, k) => {
      group.setAttribute("class", `${base}${walked.has(k) ? " walked" : ""}${lost.has(k) ? " lost" : ""}`);
      group.style.setProperty("--p-width", (1.6 + 3 * (walked.get(k) ?? 0)).toFixed(1));
    });
    const lit = new Map(rest.map((item) => [item.node, item]));
    for (const [id, { group, base }] of nodes) {
      group.setAttribute("class", `${base}${lit.has(id) ? " lit" : ""}`);
      group.style.setProperty("--p-weight", lit.get(id)?.weight ?? 0);
    }
    if (gone) return controls();
    copies.replaceChildren();
    values.replaceChildren();
    rest.forEach(label);
    said.replaceChildren(tight(told(step)), ...(step === last() ? [" ", make("span", { class: "end" }, tight(shown.end))] : []));
    list.replaceChildren(...moves.map((move) => make("li", {}, tight(line(move)))));
    details.hidden = !moves.length;
    place.textContent = `step ${step} of ${last()}`;
    controls();
  }
  function controls() {
    play.hidden = still.matches;
    play.textContent = playing ? "Pause" : step === last() ? "Again" : "Play";
    for (const [one, off] of [[first, step === 0 && !gone], [back, step === 0 && !gone], [next, step === last()]]) one.setAttribute("aria-disabled", off);
  }
  draw();
}

export default { render };
