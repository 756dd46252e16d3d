// The live cells of a notebook page, and the order in which they run.
import { Cell } from "./cell.js";
import { button, rename, once } from "./elements.js";
import { Output } from "./output.js";
import { Python, Stopped } from "./python.js";
import { markSidebar } from "./sidebar.js";
import { Status } from "./status.js";
import { download } from "./version.js";

const RETURNING = "stbp-edu-ran"; // in storage, once Python has run in this browser
const touch = matchMedia("(hover: none), (pointer: coarse)");
const bar = document.querySelector("[data-live-bar]");
const cells = [];

const status = new Status(stop);
let shown; // the output that is being filled
const python = new Python({
  loading: (progress) => status.loading(progress),
  running: (number) => status.running(`Running cell ${number}…${touch.matches ? "" : " Esc stops it."}`),
  refused,
});

// The Content-Security-Policy refuses all that is not this site's; without a word, that would look like a fault.
function refused(address) {
  if (/^(http|ws)s?:/.test(address)) shown?.refused(new URL(address).host);
}
document.addEventListener("securitypolicyviolation", ({ blockedURI }) => refused(blockedURI));

// What is asked for and has not begun: runs of cells, or of a hint. One that fails ends no other.
let requests = [];
let working; // while cells run, the promise of their end

// What is asked for is what the code is now, whatever is written while it waits.
function request(list, isWanted = () => true) {
  const runs = list.map((cell) => ({ cell, code: cell.editor.value }));
  const last = requests.at(-1)?.runs ?? [];
  const isRepeated = runs.length === last.length && runs.every(({ cell, code }, k) => cell === last[k].cell && code === last[k].code);
  if (!isRepeated) begin({ runs, isWanted });
}

// A cell runs after those above it that have not run: it may need what they define.
function run(cell) {
  const isWanted = (one) => one === cell || !one.hasRun;
  request(above(cell), isWanted);
}

const above = (cell) => cells.filter(({ number }) => number <= cell.number);

// Who types in a cell will run it.
function prepare() {
  if (!navigator.connection?.saveData) python.prepare();
}

function ask(help) {
  begin({ help });
}

function begin(asked) {
  requests.push(asked);
  working ??= work().finally(() => (working = undefined));
}

async function work() {
  status.busy(true);
  try {
    while (requests.length) {
      const { help, runs, isWanted } = requests.shift();
      if (help) await showHelp(help);
      else await runAll(runs.filter(({ cell }) => isWanted(cell)));
    }
  } catch (error) {
    if (!(error instanceof Stopped)) throw error;
  } finally {
    status.busy(false);
  }
}

async function runAll(runs) {
  for (const { cell, code } of runs) {
    const { ok, error } = await cell.run(code, fill);
    if (!ok) return status.say(failed(cell, runs.at(-1).cell, error));
    remember();
    status.wellDone(cell.verdict ?? `Cell ${cell.number} has run.`);
  }
  if (runs.length === cells.length) status.wellDone("All cells have run.");
}

function failed(cell, wanted, { name, message }) {
  const words = `Cell ${cell.number}: ${name}. ${message}`;
  return cell === wanted ? words : `${words} Cell ${wanted.number} did not run; press its Run again to run it all the same.`;
}

// Runs code in Python, and fills an output with what it shows.
function fill(code, number, output, judged) {
  shown = output;
  return python.run(code, number, (message) => {
    output.show(message);
    if (message.verdict) judged(message.verdict);
  });
}

async function showHelp({ cell, code, shown: place }) {
  const output = new Output(place);
  try {
    const { ok, error } = await fill(code, cell.number, output, () => {});
    if (!ok) output.error(error);
    status.wellDone("It is below the verdict.");
  } finally {
    output.end();
  }
}

// Who has run a cell knows how, and has Python in the browser's cache.
function remember() {
  try {
    localStorage.setItem(RETURNING, "yes");
  } catch {
    // private window
  }
}

document.addEventListener("keydown", ({ key }) => {
  if (key === "Escape" && working) stop();
}, true); // prettier-ignore

function stop() {
  const running = cells.find((cell) => cell.state === "running");
  if (status.isStopFocused) running?.element.querySelector(".live-run").focus(); // it is switched off
  requests = [];
  if (!python.stop()) return;
  for (const cell of cells) {
    if (cell.state === "done") cell.state = "stale";
    if (cell.before?.state === "done") cell.before.state = "stale";
  }
  status.say("Stopped. The variables are gone; what you wrote is kept. The next run starts Python again.");
}

async function resetAll() {
  stop();
  await working;
  for (const cell of cells) if (cell.isTouched) cell.reset();
  status.say("All cells are as they were, and Python is off. Undo reset brings back what you had.");
}

// What was written after the reset is not overwritten.
function undoAll() {
  for (const cell of cells) if (cell.before && !cell.isTouched) cell.undo();
  status.say("What you had is back.");
}

const undoes = () => !cells.some((cell) => cell.isTouched) && cells.some((cell) => cell.before);
const resetAllButton = button("", "", once(() => (undoes() ? undoAll() : resetAll())));

function nameResetAll() {
  if (undoes()) rename(resetAllButton, "Undo reset", "Undo reset of all cells");
  else rename(resetAllButton, "Reset all", "Reset all cells to the original");
}

async function downloadMine() {
  try {
    await download(bar.dataset.notebook);
    status.say("The notebook is in your downloads, with what you wrote in it. Nothing was sent.");
  } catch (fault) {
    status.say(`The notebook was not saved: ${fault.message}.`);
  }
}

// Exercises can be judged in another tab, or their states come from a file.
function progressed() {
  for (const cell of cells) {
    cell.remember();
    cell.mark();
  }
  markSidebar();
}

function fillPage() {
  const folder = new URL(__md_scope ?? ".", location).pathname;
  const isSet = "noHelp" in bar.dataset; // a problem set, which has its own way to be saved
  const page = { run, prepare, names: (text) => python.names(text), ask: isSet ? undefined : ask, say: (text) => status.say(text), changed: nameResetAll };
  for (const element of document.querySelectorAll(".cell")) {
    const key = `${folder}live.${bar.dataset.notebook}.${element.dataset.cell}`;
    cells.push(new Cell(element, key, page));
  }
  bar.prepend(button("Run all", "Run all cells", () => request(cells), "live-run"));
  const menu = bar.querySelector("details");
  menu.lastElementChild.prepend(resetAllButton);
  if (!isSet) resetAllButton.after(button("Download my version (.ipynb)", "Download my version (.ipynb)", downloadMine));
  document.addEventListener("click", ({ target }) => menu.contains(target) || menu.removeAttribute("open"));
  document.addEventListener("stbp-progress", progressed);
  const [, id] = /^#exercise-([\w-]+)$/.exec(location.hash) ?? []; // from the list of exercises
  if (id) document.querySelector(`[data-exercise="${id}"]`)?.scrollIntoView();
  markSidebar();
  document.documentElement.dataset.live = "ready";
}

if (bar) fillPage();
