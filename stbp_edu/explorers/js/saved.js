// What this browser keeps of a reader's work, and the file to hand in or to take along: the one of the package.
export const [STATES, PREDICTIONS, HISTORY] = ["stbp-edu-progress", "stbp-edu-predictions", "stbp-edu-history"];
const KNOWN = ["right", "wrong"];
const OTHER = ["predictions", "history"]; // what else the file holds beside the exercises

const memory = {}; // of a page whose storage is switched off
const table = (value) => (value && typeof value === "object" && !Array.isArray(value) ? value : {});
const only = (kept, wanted) => Object.fromEntries(Object.entries(table(kept)).filter(([, value]) => wanted(value)));

export function read(key) {
  try {
    return table(JSON.parse(localStorage.getItem(key) ?? "{}"));
  } catch {
    return memory[key] ?? {}; // storage is switched off, or holds something else
  }
}

export function write(key, kept) {
  memory[key] = kept;
  try {
    localStorage.setItem(key, JSON.stringify(kept));
  } catch {
    // without storage the page works all the same
  }
  document.dispatchEvent(new CustomEvent("stbp-progress"));
}

export function forget() {
  for (const key of [STATES, PREDICTIONS, HISTORY]) write(key, {});
}

// A state, one attempt more, and the misconceptions that it showed. What was once right stays right.
export function keep(exercise, state, mistakes = []) {
  if (!KNOWN.includes(state) || OTHER.includes(exercise)) return;
  const history = read(HISTORY);
  const { attempts = 0, mistakes: before = {} } = table(history[exercise]);
  const counted = Object.fromEntries(mistakes.map((one) => [one, (before[one] ?? 0) + 1]));
  write(HISTORY, { ...history, [exercise]: { attempts: attempts + 1, mistakes: { ...before, ...counted } } });
  const kept = read(STATES);
  if (kept[exercise] !== "right" && kept[exercise] !== state) write(STATES, { ...kept, [exercise]: state });
}

// The text of the file.
export function exported() {
  const states = Object.fromEntries(Object.entries(read(STATES)).filter(([exercise]) => !OTHER.includes(exercise)));
  return JSON.stringify({ ...states, predictions: read(PREDICTIONS), history: read(HISTORY) }, null, 1);
}

// Adds what a file holds: what is right in either is right, its predictions win, and the larger number of attempts.
export function imported(text) {
  const { predictions, history, ...rest } = table(JSON.parse(text));
  const [states, ours, attempts] = [only(rest, (state) => KNOWN.includes(state)), read(STATES), read(HISTORY)];
  write(STATES, { ...states, ...ours, ...only(states, (state) => state === "right") });
  write(PREDICTIONS, { ...read(PREDICTIONS), ...only(predictions, (choice) => typeof choice === "string") });
  const larger = (a, b) => Object.fromEntries(Object.keys({ ...a, ...b }).map((key) => [key, Math.max(a[key] ?? 0, b[key] ?? 0)]));
  for (const [id, theirs] of Object.entries(only(history, (one) => Number.isInteger(one?.attempts)))) {
    const mine = table(attempts[id]);
    const mistakes = larger(table(mine.mistakes), only(theirs.mistakes, Number.isInteger));
    attempts[id] = { attempts: Math.max(mine.attempts ?? 0, theirs.attempts), mistakes };
  }
  write(HISTORY, attempts);
}
