// A live cell: its code to edit, its buttons, its output, and what was found about an answer.
import { keep } from "../explorers/saved.js";
import { keepPredictions, takePredictions } from "../explorers/progress.js";
import { editor } from "./editor.js";
import { box, button, once, paragraph, rename } from "./elements.js";
import { Output } from "./output.js";
import { Stopped } from "./python.js";
import { WORDS, lightFirst, remembered } from "./verdict.js";

const CHECK = /\bcheck(?<formula>_formula)?\(\s*"(?<id>[\w-]+)"/;
const COPIED = 1500; // milliseconds for which the button says so

const storage = {
  get: (key) => { try { return localStorage.getItem(key); } catch { return null; } },
  set: (key, text) => { try { localStorage.setItem(key, text); } catch { /* private window */ } },
  remove: (key) => { try { localStorage.removeItem(key); } catch { /* private window */ } },
}; // prettier-ignore

export class Cell {
  // `page` runs cells and code, and is told what happens: run, prepare, ask, say, changed.
  constructor(element, key, page) {
    this.element = element;
    this.page = page;
    this.key = key;
    this.number = Number(element.dataset.number);
    this.fold = element.querySelector(":scope > .cell-fold");
    this.output = element.querySelector(".cell-output");
    this.committed = [...this.output.childNodes];
    this.asked = this.output.querySelector("[data-measured='']")?.closest(".out"); // a prediction's choices
    this.editor = editor(element, this.number, {
      changed: (text) => this.#changed(text),
      typed: page.prepare,
      run: () => page.run(this),
      names: (text) => page.names(text),
      offer: (words) => (this.offered.textContent = words),
    });
    this.#addStrip();
    this.#addHelp();
    this.remember();
    const text = storage.get(this.key);
    if (text !== null && text !== this.editor.original) {
      this.editor.value = text;
      this.unfold();
    }
    this.mark();
  }

  #addStrip() {
    const { number } = this;
    const run = button("Run", `Run code cell ${number}`, () => this.page.run(this), "live-run");
    this.resetButton = button("", "", once(() => (this.isTouched ? this.reset() : this.undo())));
    this.copyButton = button("Copy", `Copy code cell ${number}`, () => this.#copy());
    this.note = paragraph("strip-note");
    this.offered = paragraph("strip-note"); // names to go on with
    this.offered.setAttribute("role", "status");
    this.element.querySelector(".cell-strip").append(run, this.resetButton, this.copyButton, this.note, this.offered);
  }

  // An exercise offers a hint and its solution, in the card that judges the answer; a problem set does not.
  #addHelp() {
    if (!this.page.ask) return;
    const { formula, id } = CHECK.exec(this.editor.original)?.groups ?? {};
    if (!id) return;
    this.exercise = formula ? `${id}-formula` : id; // as its feedback calls it
    this.element.dataset.exercise = this.exercise;
    const shown = box("cell-help");
    const buttons = ["hint", "solution"].map((name) => {
      const code = `from stbp_edu.practice import ${name}\n${name}("${this.exercise}")`;
      return button(name[0].toUpperCase() + name.slice(1), `Show a ${name} for ${this.exercise}`, () => this.page.ask({ cell: this, code, shown }));
    });
    this.help = box("verdict-help", box("live-buttons", ...buttons), shown);
  }

  #placeHelp() {
    if (!this.help) return;
    const card = this.output.querySelector(".stbp-feedback[data-exercise]");
    if (card) lightFirst(card);
    (card ?? this.output).append(this.help);
  }

  // Shows how an earlier answer was judged, where the cell has not run on this page.
  remember() {
    if (!this.exercise || this.state !== undefined) return;
    const card = remembered(this.exercise);
    this.output.replaceChildren(...(card ? [card] : this.committed));
    this.#placeHelp();
  }

  // Code that was changed, or that failed, is seen; what the reader folds stays folded.
  unfold() {
    if (this.fold) this.fold.open = true;
  }

  get state() {
    return this.element.dataset.state;
  }

  set state(state) {
    if (state === undefined) delete this.element.dataset.state;
    else this.element.dataset.state = state;
    this.element.setAttribute("aria-busy", String(state === "running"));
    this.mark();
  }

  // Whether Python has what the cell defines, or has met its error.
  get hasRun() {
    return this.state === "done" || this.state === "error" || this.state === "stopped";
  }

  get isEdited() {
    return this.editor.value !== this.editor.original;
  }

  // Whether there is something to reset: other code, a run, or a prediction.
  get isTouched() {
    return this.isEdited || this.state !== undefined || Boolean(this.output.querySelector("[data-prediction] :checked"));
  }

  mark() {
    const { isEdited, isTouched, resetButton, number } = this;
    this.element.toggleAttribute("data-edited", isEdited);
    this.note.textContent = isEdited ? "edited" : "";
    resetButton.hidden = !isTouched && !this.before;
    resetButton.disabled = this.state === "running";
    if (isTouched) rename(resetButton, "Reset", `Reset code cell ${number} to the original`);
    else rename(resetButton, "Undo", `Undo reset of code cell ${number}`);
    this.page.changed();
  }

  #changed(text) {
    if (text === this.editor.original) storage.remove(this.key);
    else storage.set(this.key, text);
    this.mark();
  }

  async #copy() {
    await navigator.clipboard.writeText(this.editor.value);
    this.copyButton.textContent = "Copied";
    setTimeout(() => (this.copyButton.textContent = "Copy"), COPIED);
  }

  reset() {
    this.before = { text: this.editor.value, output: [...this.output.childNodes], state: this.state };
    this.#put({ text: this.editor.original, output: this.committed });
    this.before.predictions = takePredictions(this.output);
    for (const answer of this.output.querySelectorAll(".stbp-answer")) answer.open = false;
    this.remember();
    this.mark();
    this.page.say(`Cell ${this.number} is as it was. Undo brings back what you had.`);
  }

  undo() {
    const { predictions, ...before } = this.before;
    this.#put(before);
    keepPredictions(predictions);
    this.before = undefined;
    this.mark();
    if (this.isEdited) this.unfold();
    this.page.say(`What you had in cell ${this.number} is back.`);
  }

  #put({ text, output, state }) {
    this.editor.value = text;
    this.output.replaceChildren(...output);
    this.state = state;
    this.#placeHelp();
    this.#changed(text);
  }

  // Runs code of the cell: `fill` runs it in Python and fills the output. Rejects with Stopped.
  async run(code, fill) {
    this.state = "running";
    this.verdict = undefined;
    const output = new Output(this.output);
    try {
      const result = await fill(code, this.number, output, (verdict) => this.#judged(verdict));
      this.state = result.ok ? "done" : "error";
      if (!result.ok) this.#explain(result.error, output);
      return result;
    } catch (error) {
      if (!(error instanceof Stopped)) throw error;
      this.state = "stopped";
      output.hint("Stopped.");
      throw error;
    } finally {
      output.end();
      this.#placeHelp();
    }
  }

  // What `check` found comes beside the output: no text on the page counts as an answer.
  #judged({ exercise, state }) {
    this.verdict = `${exercise}: ${WORDS[state]}.`;
    keep(exercise, state);
  }

  #explain(error, output) {
    this.unfold();
    output.error(error);
    if (this.asked) this.output.append(this.asked);
  }
}
