// The live cells of a notebook page: buttons, order of runs, status, edits that stay.
import { editor } from "./editor.js";
import { box, button, once, rename } from "./elements.js";
import { Output } from "./output.js";
import { Python, Stopped } from "./python.js";
import { keepPredictions, takePredictions } from "../explorers/progress.js";

const bar = document.querySelector("[data-live-bar]");
const python = new Python(refused);
let shown; // what the latest run shows
const megabytes = (bytes) => (bytes / 1e6).toFixed(1);
const stored = (id) => `${new URL(__md_scope ?? ".", location).pathname}live.${bar.dataset.notebook}.${id}`;
const storage = {
  get: (key) => { try { return localStorage.getItem(key); } catch { return null; } },
  set: (key, text) => { try { localStorage.setItem(key, text); } catch { /* private window */ } },
  remove: (key) => { try { localStorage.removeItem(key); } catch { /* private window */ } },
}; // prettier-ignore

// Status: one live region for words, one bar for the eye.
const status = document.createElement("p");
status.className = "live-status";
status.setAttribute("role", "status");
const meter = Object.assign(document.createElement("progress"), { className: "live-meter", hidden: true, max: 1 });
meter.setAttribute("aria-label", "Loading Python");
const say = (text) => {
  if (status.textContent !== text) status.textContent = text;
};

let quarter = -1;
function loading({ received, total }) {
  meter.hidden = false;
  meter.value = received / total;
  const now = Math.floor((4 * received) / total);
  if (now === quarter) return; // speak at each quarter, not at each chunk
  quarter = now;
  say(`Loading Python: ${megabytes(received)} of ${megabytes(total)} MB. It stays on this page and sends nothing.`);
}

// The Content-Security-Policy refuses all that is not this site's; without a word, that would look like a fault.
function refused(address) {
  if (/^(http|ws)s?:/.test(address)) shown?.refused(new URL(address).host);
}
document.addEventListener("securitypolicyviolation", ({ blockedURI }) => refused(blockedURI));

class Cell {
  constructor(element) {
    this.element = element;
    this.number = Number(element.dataset.number);
    this.key = stored(element.dataset.cell);
    this.heavy = "heavy" in element.dataset;
    this.fold = element.querySelector(":scope > .cell-fold");
    this.output = element.querySelector(".cell-output");
    this.committed = [...this.output.childNodes];
    this.asked = this.output.querySelector("[data-measured='']")?.closest(".out"); // a prediction's choices
    if (this.heavy) return;
    this.editor = editor(element, this.number, { changed: (text) => this.changed(text), run: () => request([this]) });
    const n = this.number;
    this.resetButton = button("", "", once(() => (this.touched ? this.reset() : this.undo())));
    this.more = box("cell-more", ...this.#helps(), button("Run to here", `Run to here: all cells up to code cell ${n}`, () => runTo(this)), this.resetButton);
    const run = button("", `Run code cell ${n}`, () => request([this]), "live-run");
    run.classList.remove("live-button");
    element.prepend(box("cell-tools", run), this.more);
    for (const event of ["pointermove", "focusin"]) element.addEventListener(event, (given) => this.#approached(given));
    const text = storage.get(this.key);
    if (text !== null && text !== this.editor.original) {
      this.editor.value = text;
      this.unfold();
    }
    this.mark();
  }

  // Python starts loading when a hand comes near: a mouse that moves here, not a page that moves below it.
  #approached({ pointerType, movementX, movementY }) {
    if (pointerType === undefined || (pointerType === "mouse" && (movementX || movementY))) warm(cells.filter((cell) => cell.number <= this.number));
  }

  // An exercise offers a hint and its solution, below its own output.
  #helps() {
    const id = /\bcheck(?:_formula|_network)?\(\s*"([\w-]+)"/.exec(this.editor.original)?.[1];
    if (!id) return [];
    this.element.dataset.exercise = id;
    const shown = box("cell-help");
    this.element.append(shown);
    return ["hint", "solution"].map((name) => {
      const code = `from stbp_edu.practice import ${name}\n${name}("${id}")`;
      return button(name[0].toUpperCase() + name.slice(1), `Show a ${name} for ${id}`, () => ask({ cell: this, code, shown }));
    });
  }

  // Code that was changed, or that failed, is seen; what the reader folds stays folded.
  unfold() {
    if (this.fold) this.fold.open = true;
  }

  get edited() {
    return this.editor.value !== this.editor.original;
  }

  // Whether there is something to reset: other code, a run, or a prediction.
  get touched() {
    const { state } = this.element.dataset;
    return this.edited || state !== undefined || Boolean(this.output.querySelector("[data-prediction] :checked"));
  }

  mark() {
    const { edited, touched, resetButton, number } = this;
    this.element.toggleAttribute("data-edited", edited);
    this.more.dataset.note = edited ? "edited" : "";
    resetButton.hidden = !touched && !this.before;
    resetButton.disabled = this.element.dataset.state === "running";
    if (touched) rename(resetButton, "Reset", `Reset code cell ${number} to the original`);
    else rename(resetButton, "Undo", `Undo reset of code cell ${number}`);
    markBar();
  }

  changed(text) {
    if (text === this.editor.original) storage.remove(this.key);
    else storage.set(this.key, text);
    this.mark();
  }

  reset() {
    this.before = this.#now(); // first: a button that is hidden for a moment loses the focus
    this.#put({ text: this.editor.original, output: this.committed });
    this.before.predictions = takePredictions(this.output);
    this.mark();
    say(`Cell ${this.number} is as it was. Undo brings back what you had.`);
  }

  undo() {
    const { predictions, ...before } = this.before;
    this.#put(before);
    keepPredictions(predictions);
    this.before = undefined;
    this.mark();
    if (this.edited) this.unfold();
    say(`What you had in cell ${this.number} is back.`);
  }

  #now() {
    return { text: this.editor.value, output: [...this.output.childNodes], state: this.element.dataset.state };
  }

  #put({ text, output, state }) {
    this.editor.value = text;
    this.output.replaceChildren(...output);
    if (state === undefined) delete this.element.dataset.state;
    else this.element.dataset.state = state;
    this.changed(text);
  }

  set state(state) {
    this.element.dataset.state = state;
    this.element.setAttribute("aria-busy", String(state === "running"));
    this.mark();
  }

  async run(code, into) {
    const output = (shown = new Output(into ?? this.output));
    const before = this.element.dataset.state;
    this.state = "running";
    try {
      const result = await python.run(code, this.number, (message) => {
        if (message.type === "progress") loading(message);
        else if (message.type === "running") {
          meter.hidden = true;
          say(`Running cell ${this.number}… Esc stops it.`);
        } else output.show(message);
      });
      if (into && before === undefined) {
        delete this.element.dataset.state;
        this.mark();
      } else this.state = into ? before : result.ok ? "done" : "error";
      if (!result.ok) this.#explain(result.error, output);
      return result;
    } catch (error) {
      if (!(error instanceof Stopped)) throw error;
      this.state = "stopped";
      output.hint("Stopped.");
      throw error;
    }
  }

  #explain(error, output) {
    this.unfold();
    output.error(error);
    if (this.asked && output.box === this.output) this.output.append(this.asked);
    const missed = cells.some((c) => c.number < this.number && !c.heavy && c.element.dataset.state !== "done");
    if (error.name === "NameError" && missed)
      output.hint("A cell above may define it.", button("Run to here", `Run to here: all cells up to code cell ${this.number}`, () => runTo(this)));
  }
}

const cells = [];
let requests = []; // those that have not begun, each with its runs: a run that fails ends its own request and no other
let working; // while cells run, the promise of their end

// What is asked for is what the code is now, whatever is written while it waits.
function request(list, wanted = () => true) {
  const runs = list.filter((cell) => !cell.heavy).map((cell) => ({ cell, code: cell.editor.value }));
  const last = requests.at(-1)?.runs ?? [];
  const again = runs.length === last.length && runs.every(({ cell, code }, k) => cell === last[k].cell && code === last[k].code);
  if (!again) requests.push({ runs, wanted });
  working ??= work().finally(() => (working = undefined));
}

let warmed = 0; // cells that Python has been told of
function warm(list) {
  if (list.length <= warmed || working || navigator.connection?.saveData) return;
  warmed = list.length;
  python.warm(list.filter((cell) => !cell.heavy).map((cell) => cell.editor.value).join("\n")); // prettier-ignore
}

// A hint or a solution, which is no run of the cell.
function ask(help) {
  requests.push({ runs: [help], wanted: () => true });
  working ??= work().finally(() => (working = undefined));
}

function runTo(cell) {
  const wanted = (one) => one === cell || one.element.dataset.state !== "done";
  request(cells.filter((one) => one.number <= cell.number), wanted); // prettier-ignore
}

async function work() {
  quarter = -1;
  busy(true);
  try {
    while (requests.length) {
      const { runs, wanted } = requests.shift();
      await runAll(runs.filter(({ cell }) => wanted(cell)));
    }
  } catch (error) {
    if (!(error instanceof Stopped)) throw error;
  } finally {
    meter.hidden = true;
    busy(false);
  }
}

async function runAll(runs) {
  for (const { cell, code, shown: into } of runs) {
    const { ok, error } = await cell.run(code, into);
    if (!ok) return say(`Cell ${cell.number}: ${error.name}. ${error.message}`);
    const all = runs.length > 1 && cell === runs.at(-1).cell;
    say(into ? "It stands below the cell." : all ? `All cells up to ${cell.number} have run.` : `Cell ${cell.number} has run.`);
    fade();
  }
}

function busy(yes) {
  document.documentElement.toggleAttribute("data-live-busy", yes);
  pill.toggleAttribute("data-busy", yes);
  stopButton.disabled = !yes;
}

// What went well need not be put away by hand.
let fading;
function fade() {
  clearTimeout(fading);
  fading = setTimeout(() => working || pill.removeAttribute("data-open"), 4000);
}

document.addEventListener("keydown", ({ key }) => {
  if (key === "Escape" && working) stop();
}, true); // prettier-ignore

function stop() {
  const running = cells.find((cell) => cell.element.dataset.state === "running");
  if (document.activeElement === stopButton) running?.element.querySelector(".live-run").focus(); // it is switched off
  requests = [];
  warmed = 0;
  if (!python.stop()) return;
  for (const cell of cells) {
    if (cell.element.dataset.state === "done") cell.state = "stale";
    if (cell.before?.state === "done") cell.before.state = "stale";
  }
  say("Stopped. The variables are gone; what you wrote is kept. The next run starts Python anew.");
}

const live = () => cells.filter((cell) => !cell.heavy);

async function resetAll() {
  stop();
  await working;
  live().filter((cell) => cell.touched).forEach((cell) => cell.reset()); // prettier-ignore
  say("All cells are as they were, and Python is off. Undo reset brings back what you had.");
}

// What was written after the reset is not overwritten.
function undoAll() {
  live().filter((cell) => cell.before && !cell.touched).forEach((cell) => cell.undo()); // prettier-ignore
  say("What you had is back.");
}

const undoes = () => !live().some((cell) => cell.touched) && live().some((cell) => cell.before);
const resetAllButton = button("Reset all", "Reset all cells to the original", once(() => (undoes() ? undoAll() : resetAll())));

function markBar() {
  if (undoes()) rename(resetAllButton, "Undo reset", "Undo reset of all cells");
  else rename(resetAllButton, "Reset all", "Reset all cells to the original");
}

const pill = Object.assign(document.createElement("div"), { className: "live-pill" });
pill.setAttribute("role", "region");
pill.setAttribute("aria-label", "Python on this page");
const stopButton = button("Stop", "Stop Python", stop, "live-stop");
stopButton.disabled = true;
const dismiss = button("×", "Hide this message", () => pill.removeAttribute("data-open"), "live-dismiss");
pill.append(status, meter, stopButton, dismiss);
new MutationObserver(() => pill.toggleAttribute("data-open", Boolean(status.textContent))).observe(status, { childList: true, characterData: true, subtree: true });

if (bar) {
  const keys = Object.assign(document.createElement("p"), { id: "live-keys", className: "live-keys" });
  keys.innerHTML = 'You can change the code of every cell: click or tap into it, then ▶ runs it; <em>Run to here</em> runs the cells above it first. <span class="by-keys"><kbd>Shift</kbd> + <kbd>Enter</kbd> runs it, too; <kbd>Tab</kbd> moves on until you type, and again after <kbd>Esc</kbd>.</span>';
  const runAll = button("Run all", "Run all cells", () => request(cells));
  for (const event of ["pointerenter", "focus"]) runAll.addEventListener(event, () => warm(cells));
  bar.append(box("live-buttons", runAll, resetAllButton), keys);
  for (const element of document.querySelectorAll(".cell")) cells.push(new Cell(element));
  document.addEventListener("stbp-progress", () => live().forEach((cell) => cell.mark())); // a prediction was chosen
  document.body.append(pill);
  bar.hidden = false;
  const [, id] = /^#exercise-([\w-]+)$/.exec(location.hash) ?? []; // from the page of progress
  if (id) document.querySelector(`[data-exercise="${id}"]`)?.scrollIntoView();
  document.documentElement.dataset.live = "ready";
}
