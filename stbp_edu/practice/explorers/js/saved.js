// What this browser keeps of a reader's work, and the file to hand in or to take along: the one of the package.
export const [STATES, PREDICTIONS, HISTORY] = ["stbp-edu-progress", "stbp-edu-predictions", "stbp-edu-history"];
const FORMAT = 2; // of saved_progress.py
const KNOWN = ["right", "wrong"];
const OTHER = ["predictions", "history", "format", "checksum"]; // what else the file holds beside the exercises

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

// JSON as Python's json.dumps(value, sort_keys=True) writes it; the checksum is taken of it.
function canonical(value) {
  if (value === null || typeof value !== "object")
    return JSON.stringify(value).replace(/[\x7f-\uffff]/g, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`);
  if (Array.isArray(value)) return `[${value.map(canonical).join(", ")}]`;
  return `{${Object.keys(value).sort().map((key) => `${canonical(key)}: ${canonical(value[key])}`).join(", ")}}`; // prettier-ignore
}

async function checksum(content) {
  if (!crypto.subtle) throw new Error("Your browser seals files only on pages that come by https");
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(canonical(content)));
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

// The text of the file.
export async function exported() {
  const states = Object.fromEntries(Object.entries(read(STATES)).filter(([exercise]) => !OTHER.includes(exercise)));
  const content = { ...states, predictions: read(PREDICTIONS), history: read(HISTORY), format: FORMAT };
  return canonical({ ...content, checksum: await checksum(content) });
}

// Adds what a file holds: what is right in either is right, its predictions win, and the larger number of attempts.
export async function imported(text) {
  const { checksum: sum, ...content } = table(JSON.parse(text));
  if (content.format !== FORMAT || sum !== (await checksum(content))) throw new Error("It is no file of progress, or it has been changed or cut");
  const { predictions, history, ...rest } = content;
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
