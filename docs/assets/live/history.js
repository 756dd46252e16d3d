// What was written in an editor, to go back to. What is typed without a pause is one step.
//
// The browser has such a history, too; but it ends a step whenever the page changes, and the colours
// of the code change with each letter.
const PAUSE = 700; // milliseconds

export class History {
  #states;
  #at = 0;
  #kind;
  #time = 0;

  constructor(state) {
    this.#states = [state];
  }

  // Keeps a state that came about by a kind of input, such as insertText.
  keep(state, kind) {
    const now = performance.now();
    const isSameStep = kind === this.#kind && now - this.#time < PAUSE;
    this.#states.length = this.#at + 1; // what was undone is not done again after a change
    if (!isSameStep) this.#at += 1;
    this.#states[this.#at] = state;
    this.#kind = kind;
    this.#time = now;
  }

  // The state before the last step, or after the one that was undone; undefined at either end.
  move(by) {
    const state = this.#states[this.#at + by];
    if (state === undefined) return undefined;
    this.#at += by;
    this.#kind = undefined;
    return state;
  }
}
