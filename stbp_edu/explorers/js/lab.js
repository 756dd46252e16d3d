// The neuron lab: sliders for τ, V_th, input and gate; and the surrogates with their widths.
import { drawn, fill, frame, indexed, load, make, number, radios, unique } from "./common.js";

const STYLE = `
.stbp-lab { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 21em), 1fr)); gap: 1.4em; }
.stbp-lab svg { display: block; width: 100%; max-width: 30em; height: auto; margin-top: 0.8em; }
.stbp-lab .slider { display: grid; grid-template-columns: 7.6em 1fr 2.6em; align-items: center; gap: 0.5em; min-height: 2.2em; }
.stbp-lab input[type=range] { width: 100%; }
.stbp-lab .axis { stroke: var(--x-soft); stroke-width: 1; } .stbp-lab .level { stroke: var(--x-bad); stroke-width: 1.6; stroke-dasharray: 6 4; }
.stbp-lab .curve { fill: none; stroke: var(--x-accent); stroke-width: 2.4; } .stbp-lab .twin { fill: none; stroke: var(--x-ink); stroke-width: 2; stroke-dasharray: 7 4; }
.stbp-lab .spike { stroke: var(--x-bad); stroke-width: 3; } .stbp-lab .dot { fill: var(--x-accent); }
`;
const called = (name) => ({ gaussian: "Gaussian", atan: "ATan" })[name] ?? name;
const W = 300, H = 200, PAD = 34; // prettier-ignore

async function render({ model, el }) {
  const data = await load(model, "lab");
  const state = { gate: 0, taus: 3, thresholds: 2, currents: 4, surrogate: "gaussian", widths: 2 };

  function slider(words, name, change) {
    const id = unique("slider");
    const out = make("output", { class: "num", for: id }, number(data[name][state[name]]));
    const input = make("input", { type: "range", id, min: 0, max: data[name].length - 1, step: 1, value: state[name], "aria-valuetext": number(data[name][state[name]]), "data-slider": name,
      oninput: () => {
        state[name] = Number(input.value);
        out.textContent = number(data[name][state[name]]);
        input.setAttribute("aria-valuetext", out.textContent);
        change();
      } }); // prettier-ignore
    return make("div", { class: "slider" }, make("label", { for: id }, words), input, out);
  }
  const potential = make("svg", { viewBox: `0 0 ${W} ${H}`, role: "img" });
  const curves = make("svg", { viewBox: `0 0 ${W} ${H}`, role: "img" });
  const said = make("p", { role: "status" });
  const table = make("table", { class: "num" });
  const about = make("p", { role: "status" });
  const names = Object.keys(data.curves);
  frame(el, "Explorer: the neuron lab", STYLE, make("div", { class: "stbp-lab" },
    make("div", {}, make("strong", {}, "One neuron under a constant input"),
      radios("Gate:", data.gates.map((gate, k) => [String(k), gate]), "0", (value) => { state.gate = Number(value); neuron(); }),
      slider("leak τ", "taus", neuron), slider(indexed("threshold V_th"), "thresholds", neuron), slider("input", "currents", neuron),
      potential, said, make("details", {}, make("summary", {}, "The values as a table"), make("div", { class: "scroll", tabindex: 0, role: "group", "aria-label": "Table of values" }, table))),
    make("div", {}, make("strong", {}, "The surrogate h and its smooth twin H"),
      radios("Shape:", names.map((name) => [name, called(name)]), state.surrogate, (value) => { state.surrogate = value; surrogate(); }),
      slider("width a", "widths", surrogate), curves, about))); // prettier-ignore

  function neuron() {
    const { taus, thresholds, currents, gates } = data;
    const run = data.runs[((state.gate * taus.length + state.taus) * thresholds.length + state.thresholds) * currents.length + state.currents];
    const top = Math.max(2, ...run.u) * 1.1;
    const x = (t) => PAD + ((W - PAD - 10) * (t + 0.5)) / data.steps;
    const y = (u) => H - PAD - ((H - PAD - 22) * u) / top;
    const level = thresholds[state.thresholds];
    fill(potential,
      make("line", { class: "axis", x1: PAD, x2: W - 8, y1: y(0), y2: y(0) }), make("line", { class: "axis", x1: PAD, x2: PAD, y1: y(0), y2: 14 }),
      make("line", { class: "level", x1: PAD, x2: W - 8, y1: y(level), y2: y(level) }), make("text", { x: 2, y: y(level) + 4 }, drawn()), make("text", { x: 2, y: y(0) + 4 }, "0"),
      make("polyline", { class: "curve", points: run.u.map((u, t) => `${x(t)},${y(u)}`).join(" ") }),
      run.u.map((u, t) => make("circle", { class: "dot", cx: x(t), cy: y(u), r: 3.5 })),
      [...run.o].flatMap((o, t) => (o === "1" ? [make("line", { class: "spike", x1: x(t), x2: x(t), y1: 4, y2: 16 })] : [])),
      make("text", { x: W / 2, y: H - 8, "text-anchor": "middle" }, "time step t (spikes on top)"),
    ); // prettier-ignore
    const spikes = [...run.o].flatMap((o, t) => (o === "1" ? [t + 1] : []));
    const [f0, f1] = data.f[state.gate][state.taus];
    const when = spikes.length === data.steps ? "at every step" : spikes.length ? `at t = ${spikes.join(", ")}` : "never";
    said.textContent = `The neuron ${spikes.length ? `spikes ${when}` : "never spikes"}: ${spikes.length} of ${data.steps} steps. f(0) = ${number(f0)} (leak), f(1) = ${number(f1)} (reset).`;
    potential.setAttribute("aria-label", `Potential over ${data.steps} steps with the ${gates[state.gate]} gate, τ = ${taus[state.taus]}, threshold ${level}, input ${currents[state.currents]}: highest ${number(Math.max(...run.u))}, spikes ${when}.`);
    table.replaceChildren(make("tr", {}, ["t", "u", "o"].map((name) => make("th", { scope: "col" }, name))),
      ...run.u.map((u, t) => make("tr", {}, make("th", { scope: "row" }, String(t + 1)), make("td", { "data-value": "u" }, number(u)), make("td", {}, run.o[t])))); // prettier-ignore
  }

  function surrogate() {
    const { h, H: twin } = data.curves[state.surrogate][state.widths];
    const peak = Math.max(...h);
    const top = Math.max(1.05, peak * 1.08);
    const x = (v) => PAD + ((W - PAD - 10) * (v + 3)) / 6;
    const y = (value) => H - PAD - ((H - PAD - 14) * value) / top;
    const half = (data.v[1] - data.v[0]) / 2; // a rectangle jumps, it does not climb
    const ends = state.surrogate === "rectangle" ? [-half, half] : [0];
    const points = (values, shifts) => data.v.flatMap((v, k) => shifts.map((d) => `${x(v + d)},${y(values[k])}`)).join(" ");
    const line = (values, name, shifts = [0]) => make("polyline", { class: name, points: points(values, shifts) });
    fill(curves,
      make("line", { class: "axis", x1: PAD, x2: W - 8, y1: y(0), y2: y(0) }), make("line", { class: "axis", x1: x(0), x2: x(0), y1: y(0), y2: 14 }),
      line(h, "curve", ends), line(twin, "twin"), make("text", { x: 2, y: y(1) + 4 }, "1"), make("text", { x: 2, y: y(0) + 4 }, "0"),
      make("text", { x: W / 2, y: H - 8, "text-anchor": "middle" }, "v = u − ", drawn(" (h solid, H dashed)")),
    ); // prettier-ignore
    about.replaceChildren("The height of h is ", make("strong", { class: "num", "data-value": "peak" }, number(peak)), ". Its area is 1, so that H climbs from 0 to 1 as the spike does.");
    curves.setAttribute("aria-label", `The ${called(state.surrogate)} of width ${data.widths[state.widths]}: h has its peak ${number(peak)} at the threshold, and H climbs through one half there.`);
  }
  neuron();
  surrogate();
}

export default { render };
