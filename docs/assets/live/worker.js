// Runs Python away from the page, so that the page stays alive and can end it at any time.
import { loadPyodide } from "../pyodide/pyodide.mjs";

const runtime = new URL("../pyodide/", import.meta.url);
const json = async (name) => (await fetch(new URL(name, runtime))).json();

// Count what arrives, to tell how far the loading is.
const expected = new Set();
let sizes = {};
let received = 0;
const plainFetch = self.fetch.bind(self);
self.fetch = async (...request) => {
  const answer = await plainFetch(...request);
  const name = answer.url.split("/").pop();
  if (!answer.ok || !(name in sizes)) return answer;
  expected.add(name);
  count(answer.clone().body);
  return answer; // itself: of a copy a browser would not keep the compiled code
};

async function count(body) {
  for await (const chunk of body) {
    received += chunk.byteLength;
    report();
  }
}

let reported = 0;
function report() {
  const total = [...expected].reduce((sum, name) => sum + sizes[name], 0);
  const now = performance.now();
  if (now - reported < 80 && received < total) return;
  reported = now;
  postMessage({ type: "progress", received: Math.min(received, total), total });
}

// The packages that a cell's imports ask for; stbp_edu.plotting, say, means matplotlib too.
let lock, needs;
const known = new Set();
function wanted(code) {
  const modules = [...code.matchAll(/^[ \t]*(?:from +([\w.]+) +import +(\([^)]*|[^\n;#]+)|import +([^\n;#]+))/gm)];
  const names = modules.flatMap(([, from, what, plain]) => {
    const list = (text) => text.replace("(", "").split(",").map((name) => name.trim().split(/\s/)[0]);
    return from ? [from, ...list(what).map((name) => `${from}.${name}`)] : list(plain);
  });
  const dotted = [...code.matchAll(/\bstbp_edu(?:\.\w+)+/g)].map(([name]) => name);
  const found = new Set();
  for (const name of [...names, ...dotted]) {
    const top = name.split(".")[0];
    for (const [id, entry] of Object.entries(lock.packages)) if (entry.imports.includes(top)) found.add(id);
    for (let part = name; part; part = part.slice(0, Math.max(0, part.lastIndexOf("."))))
      for (const id of needs[part] ?? []) found.add(id);
  }
  return [...found].filter((id) => !known.has(id));
}
function expect(ids) {
  for (const id of ids) {
    const entry = lock.packages[id];
    if (!entry || known.has(id)) continue;
    known.add(id);
    expected.add(entry.file_name);
    expect(entry.depends);
  }
}

// What the page's policy refuses happens here, and is told there.
addEventListener("securitypolicyviolation", ({ blockedURI }) => postMessage({ type: "refused", uri: blockedURI }));

let python, runner;
async function start(code) {
  const [about, locked, script] = await Promise.all([
    json("about.json"),
    json("pyodide-lock.json"),
    (await plainFetch(new URL("runner.py", import.meta.url))).text(),
  ]);
  ({ sizes, needs } = about);
  lock = locked;
  for (const name of ["pyodide.asm.wasm", "python_stdlib.zip"]) expected.add(name);
  const packages = wanted(code);
  expect(packages);
  python = await loadPyodide({ indexURL: runtime.href, packages, env: { MPLBACKEND: "AGG", HOME: "/home/pyodide" } });
  python.FS.writeFile("/home/pyodide/page_runner.py", script);
  runner = python.runPython("import page_runner; page_runner.Runner").call(null, (text) =>
    postMessage(JSON.parse(text)),
  );
}

async function load(ids) {
  expect(ids);
  if (ids.length) await python.loadPackage(ids, { messageCallback() {} });
}

let ready;
async function run({ code, number }) {
  ready ??= start(code);
  await ready;
  await load(wanted(code));
  postMessage({ type: "running" });
  const result = JSON.parse(runner.run(code, number));
  const missing = result.error?.missing?.split(".")[0];
  const entry = Object.entries(lock.packages).find(([, { imports }]) => missing && imports.includes(missing));
  if (!entry || known.has(entry[0])) return result;
  await load([entry[0]]); // an import that could not be read off the cell: load it and start over
  postMessage({ type: "clear" });
  return JSON.parse(runner.run(code, number));
}

// What a reader may run next: its packages are loaded and its imports made, and nothing is said.
async function warm(code) {
  ready ??= start(code);
  await ready;
  await load(wanted(code));
  runner.warm(code);
}

async function handle(data) {
  if ("warm" in data) return warm(data.warm).catch(() => {}); // a run meets the same fault, and tells
  try {
    postMessage({ type: "done", ...(await run(data)) });
  } catch (failure) {
    const text = `Python could not be started.\n${failure}`;
    postMessage({ type: "done", ok: false, error: { name: "Error", message: String(failure), text, fatal: true } });
  }
}

let last = Promise.resolve();
onmessage = ({ data }) => (last = last.then(() => handle(data)));
