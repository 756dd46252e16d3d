// The live cells of a notebook page: buttons, order of runs, status, edits that stay.
import { editor } from "./editor.js";
import { Output } from "./output.js";
import { Python, Stopped } from "./python.js";

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

function button(label, name, action, className = "") {
  const element = document.createElement("button");
  Object.assign(element, { type: "button", textContent: label, className: `live-button ${className}` });
  if (name !== label) element.setAttribute("aria-label", name);
  element.addEventListener("click", action);
  return element;
}

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
    if (this.heavy) return;
    this.editor = editor(element, this.number, { changed: (text) => this.changed(text), run: () => enqueue([this]) });
    const n = this.number;
    this.resetButton = button("Reset", `Reset code cell ${n} to the original`, () => this.reset());
    const tools = Object.assign(document.createElement("div"), { className: "cell-tools" });
    tools.append(
      button("Run", `Run code cell ${n}`, () => enqueue([this]), "live-run"),
      button("Run to here", `Run to here: all cells up to code cell ${n}`, () => runTo(this)),
      this.resetButton,
    );
    element.prepend(tools);
    const text = storage.get(this.key);
    if (text !== null && text !== this.editor.original) {
      this.editor.value = text;
      this.unfold();
    }
    this.mark();
  }

  // Code that was changed, or that failed, is seen; what the reader folds stays folded.
  unfold() {
    if (this.fold) this.fold.open = true;
  }

  mark() {
    const edited = this.editor.value !== this.editor.original;
    this.element.toggleAttribute("data-edited", edited);
    this.element.querySelector(".cell-tools").dataset.note = edited ? "edited" : "";
    this.resetButton.hidden = !edited && this.element.dataset.state === undefined;
  }

  changed(text) {
    if (text === this.editor.original) storage.remove(this.key);
    else storage.set(this.key, text);
    this.mark();
  }

  reset() {
    if (this.heavy || this.element.dataset.state === "running") return;
    this.editor.value = this.editor.original;
    storage.remove(this.key);
    this.output.replaceChildren(...this.committed);
    delete this.element.dataset.state;
    const focused = document.activeElement === this.resetButton;
    this.mark();
    if (focused) this.element.querySelector(".live-run").focus();
    say(`Cell ${this.number} is as it was.`);
  }

  set state(state) {
    this.element.dataset.state = state;
    this.element.setAttribute("aria-busy", String(state === "running"));
    this.mark();
  }

  async run() {
    const output = (shown = new Output(this.output));
    this.state = "running";
    try {
      const result = await python.run(this.editor.value, this.number, (message) => {
        if (message.type === "progress") loading(message);
        else if (message.type === "running") {
          meter.hidden = true;
          say(`Running cell ${this.number}…`);
        } else output.show(message);
      });
      this.state = result.ok ? "done" : "error";
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
    const missed = cells.some((c) => c.number < this.number && !c.heavy && c.element.dataset.state !== "done");
    if (error.name === "NameError" && missed)
      output.hint("A cell above may define it.", button("Run to here", `Run to here: all cells up to code cell ${this.number}`, () => runTo(this)));
  }
}

const cells = [];
let queue = [];
let working = false;

function enqueue(list) {
  queue.push(...list.filter((cell) => !cell.heavy && !queue.includes(cell)));
  if (!working) work();
}

function runTo(cell) {
  enqueue(cells.filter((c) => c.number <= cell.number && (c === cell || c.element.dataset.state !== "done")));
}

async function work() {
  working = true;
  quarter = -1;
  busy(true);
  let last;
  const many = queue.length > 1;
  try {
    while (queue.length) {
      last = queue.shift();
      const result = await last.run();
      if (!result.ok) {
        queue = [];
        say(`Cell ${last.number}: ${result.error.name}. ${result.error.message}`);
      } else if (queue.length || !many) say(`Cell ${last.number} has run.`);
      else say(`All cells up to ${last.number} have run.`);
    }
  } catch (error) {
    if (!(error instanceof Stopped)) throw error;
  } finally {
    working = false;
    meter.hidden = true;
    busy(false);
  }
}

function busy(yes) {
  document.documentElement.toggleAttribute("data-live-busy", yes);
  pill.toggleAttribute("data-busy", yes);
  stopButton.disabled = !yes;
}

function stop() {
  queue = [];
  if (!python.stop()) return;
  for (const cell of cells) if (cell.element.dataset.state === "done") cell.state = "stale";
  say("Stopped. The variables are gone; what you wrote is kept. The next run starts Python anew.");
}

function resetAll() {
  stop();
  for (const cell of cells) cell.reset();
  say("All cells are as they were, and Python is off.");
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
  keys.innerHTML = "Click into a cell to edit it. <kbd>Shift</kbd> + <kbd>Enter</kbd> runs it. <kbd>Tab</kbd> moves on until you type, and again after <kbd>Esc</kbd>.";
  const row = Object.assign(document.createElement("div"), { className: "live-buttons" });
  row.append(
    button("Run all", "Run all cells", () => enqueue(cells), "live-primary"),
    button("Reset all", "Reset all cells to the original", resetAll),
  );
  bar.append(row, keys);
  for (const element of document.querySelectorAll(".cell")) cells.push(new Cell(element));
  document.body.append(pill);
  bar.hidden = false;
  document.documentElement.dataset.live = "ready";
}
