// Figures that can be moved: on the picture by a mouse or a finger, below it by the keys of a slider.
// All values are read from the figure as Python has drawn it, so one that is drawn again moves, too.
import { box, button, paragraph, rename } from "./elements.js";

const still = matchMedia("(prefers-reduced-motion: reduce)");
const PACE = 350; // milliseconds
const PLACES = 200; // of a point on a curve
const BACK = 10; // steps of an echo
const written = (x, digits) => x.toFixed(digits).replace("-", "−");

// The cells of a grid, coloured up to one of them.
function order(svg) {
  const cells = [...svg.querySelectorAll(".stbp-fill")];
  const place = (cell) => Number(cell.style.getPropertyValue("--k"));
  cells.sort((a, b) => place(a) - place(b));
  const under = ({ clientX: x, clientY: y }) => (cell) => {
    const { left, right, top, bottom } = cell.getBoundingClientRect();
    return left <= x && x <= right && top <= y && y <= bottom;
  };
  const show = (count) => {
    for (const [k, cell] of cells.entries()) Object.assign(cell.style, { animation: "none", opacity: k < count ? 1 : 0 });
    const last = cells[count - 1]?.nextElementSibling.nextElementSibling.textContent; // its number comes first
    return `${count} of ${cells.length} cells are filled${last ? `; the last one is ${last}` : ""}.`;
  };
  return { steps: cells.length, first: cells.length, at: (event) => cells.findIndex(under(event)) + 1 || undefined, show };
}

// The curves of a chart as points, and what its pixels mean, by the marks on its axes.
function chart(svg) {
  const marks = [...svg.querySelectorAll("use")].map((mark) => ({
    x: Number(mark.getAttribute("x")),
    y: Number(mark.getAttribute("y")),
    value: Number(mark.parentElement.parentElement.nextElementSibling.textContent.replace("−", "-")),
  }));
  const scale = (side, a, b) => (b.value - a.value) / (b[side] - a[side]);
  const [wide, high] = [scale("x", ...marks), scale("y", ...marks.slice(-2))];
  const paths = [...svg.querySelectorAll("path[clip-path]")].filter(({ style }) => style.fill === "none");
  const curves = paths.map((path) => [...path.getAttribute("d").matchAll(/([-\d.]+) ([-\d.]+)/g)].map(([, ...point]) => point.map(Number)));
  const [low, long] = [curves[0][0][0], curves[0].at(-1)[0] - curves[0][0][0]];
  const drawn = svg.appendChild(document.createElementNS(svg.namespaceURI, "g"));
  svg.classList.add("moved-chart");

  // The values at a place, and the slope; each point is drawn, on its tangent where a slope is asked for.
  function look(place, count, reach) {
    const x = low + (long * place) / PLACES;
    drawn.replaceChildren();
    return curves.slice(0, count).map((points, k) => {
      const after = points.findIndex(([px]) => px > x);
      const [[x1, y1], [x2, y2]] = after < 0 ? points.slice(-2) : points.slice(after - 1, after + 1);
      const slope = x1 < x2 ? (y2 - y1) / (x2 - x1) : 0;
      const y = y1 + slope * (x - x1);
      const aside = reach / Math.hypot(1, slope);
      const tangent = `M${x - aside} ${y - slope * aside}L${x + aside} ${y + slope * aside}`;
      for (const d of [tangent, `M${x} ${y}h0`]) {
        const path = drawn.appendChild(document.createElementNS(svg.namespaceURI, "path"));
        path.setAttribute("d", d);
        path.style.stroke = paths[k].style.stroke;
      }
      const [first, last] = [marks[0], marks.at(-1)];
      return { at: first.value + wide * (x - first.x), value: last.value + high * (y - last.y), slope: (slope * high) / wide };
    });
  }
  const at = ({ clientX, clientY }) => {
    const { x } = new DOMPoint(clientX, clientY).matrixTransform(drawn.getScreenCTM().inverse());
    return Math.round((PLACES * (x - low)) / long);
  };
  return { steps: PLACES, at, look };
}

// One weight on the staircase of the loss and on the twin's line.
function loss(svg) {
  const { look, ...rest } = chart(svg);
  const show = (place) => {
    const [stairs, twin] = look(place, 2, 26);
    return `Weight ${written(stairs.at, 1)}: the loss is ${written(stairs.value, 3)} on the staircase, which is level here, and ${written(twin.value, 3)} on the twin, with the slope ${written(twin.slope, 4)}.`;
  };
  return { ...rest, first: PLACES / 2, show };
}

// A potential on the first curve of gains, and what an error becomes step by step.
function gain(svg, below) {
  const { look, ...rest } = chart(svg);
  const show = (place) => {
    const [{ at, value }] = look(place, 1, 0);
    const echo = Array.from({ length: BACK + 1 }, (_, k) => value ** k);
    const most = Math.max(...echo.map(Math.abs));
    const bars = echo.map((error) => {
      const high = (50 * Math.abs(error)) / most;
      const bar = document.createElement("span");
      Object.assign(bar.style, { height: `${high}%`, top: `${error < 0 ? 50 : 50 - high}%` });
      return bar;
    });
    below.replaceChildren(...bars.reverse());
    const times = Math.abs(echo[BACK]);
    const large = times < 0.01 ? "less than 0.01" : written(times, times < 10 ? 2 : 0);
    return `Potential ${written(at, 2)}: the gain of the first neuron is ${written(value, 2)}. ${BACK} steps back an error is ${large} times as large${value < 0 ? ", and its sign changes at every step" : ""}.`;
  };
  return { ...rest, first: PLACES, show };
}

const KINDS = { order: [order, "How many cells are filled"], loss: [loss, "The weight"], gain: [gain, "The potential"] };

function attach(figure, [kind, name]) {
  const below = box("moved-echo");
  below.setAttribute("aria-hidden", "true");
  const pictures = [...figure.querySelectorAll("svg")].map((svg) => ({ svg, ...kind(svg, below) }));
  const [{ steps, first }] = pictures;
  const slider = Object.assign(document.createElement("input"), { type: "range", max: steps, value: first });
  slider.setAttribute("aria-label", name);
  const said = paragraph("moved-said");
  let clock;
  const play = button("Play", "Play from the beginning", () => (clock ? halt() : run(0)));

  function show(place) {
    slider.value = place;
    for (const picture of pictures) said.textContent = picture.show(Number(slider.value));
    slider.setAttribute("aria-valuetext", said.textContent);
  }
  function halt() {
    clearTimeout(clock);
    clock = undefined;
    rename(play, "Play", "Play from the beginning");
  }
  function run(place) {
    show(place);
    if (place === steps || !figure.isConnected) return halt();
    rename(play, "Pause", "Pause");
    clock = setTimeout(run, PACE, place + 1);
  }
  const move = (place) => {
    if (place === undefined) return;
    halt();
    show(place);
  };
  slider.addEventListener("input", () => move(slider.valueAsNumber));
  for (const { svg, at } of pictures) {
    svg.addEventListener("pointerdown", (event) => {
      svg.setPointerCapture(event.pointerId);
      move(at(event));
    });
    svg.addEventListener("pointermove", (event) => svg.hasPointerCapture(event.pointerId) && move(at(event)));
  }
  const byItself = kind === order;
  play.hidden = still.matches || !byItself;
  figure.classList.add("moved");
  figure.append(...(kind === gain ? [below] : []), box("moved-row", play, slider), said);
  if (byItself) said.textContent = "Play it, or drag over the cells.";
  else show(first);
}

// A cell that is run brings a new figure.
for (const cell of document.querySelectorAll(".cell[data-drawing]")) {
  const look = () => {
    for (const figure of cell.querySelectorAll(".out-figure:not(.moved):has(svg)")) attach(figure, KINDS[cell.dataset.drawing]);
  };
  look();
  new MutationObserver(look).observe(cell, { childList: true, subtree: true });
}
