// What this browser keeps of a reader's work, and the file to hand in or to take along: the one of the package.
export const [STATES, PREDICTIONS] = ["stbp-edu-progress", "stbp-edu-predictions"];
const KNOWN = ["right", "wrong"];
const OTHER = "predictions"; // what the file holds beside the exercises

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
  for (const key of [STATES, PREDICTIONS]) write(key, {});
}

// What was once right stays right.
export function keep(exercise, state) {
  if (!KNOWN.includes(state) || exercise === OTHER) return;
  const kept = read(STATES);
  if (kept[exercise] !== "right" && kept[exercise] !== state) write(STATES, { ...kept, [exercise]: state });
}

// The text of the file.
export function exported() {
  return JSON.stringify({ ...read(STATES), [OTHER]: read(PREDICTIONS) }, null, 1);
}

// Adds what a file holds: what is right in either is right, and its predictions win.
export function imported(text) {
  const { predictions, ...rest } = table(JSON.parse(text));
  const states = only(rest, (state) => KNOWN.includes(state));
  write(STATES, { ...states, ...read(STATES), ...only(states, (state) => state === "right") });
  write(PREDICTIONS, { ...read(PREDICTIONS), ...only(predictions, (choice) => typeof choice === "string") });
}
