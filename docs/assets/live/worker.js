// Runs Python away from the page, so that the page stays alive and can end it at any time.
import { loadPyodide } from "../pyodide/pyodide.mjs";
import { ordinary, restored, unpacked, write } from "./start.js";

const runtime = new URL("../pyodide/", import.meta.url);
const json = async (name) => (await fetch(new URL(name, runtime))).json();

// Count what arrives, to tell how far the loading is.
const expected = new Set();
let about = { sizes: {} };
let received = 0;
const plainFetch = self.fetch.bind(self);
self.fetch = async (...request) => {
  const answer = await plainFetch(...request);
  const name = answer.url.split("/").pop();
  if (!answer.ok || !(name in about.sizes)) return answer;
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
  const total = [...expected].reduce((sum, name) => sum + about.sizes[name], 0);
  const now = performance.now();
  if (now - reported < 80 && received < total) return;
  reported = now;
  postMessage({ type: "progress", received: Math.min(received, total), total });
}

const ask = (name) => {
  expected.add(name);
  return fetch(new URL(name, runtime));
};
const pack = async (name) => unpacked(await ask(name));

// The libraries that a cell's imports ask for and that are not there yet; of this package's own modules, too.
const known = new Set();
function wanted(code) {
  const modules = [...code.matchAll(/^[ \t]*(?:from +([\w.]+) +import +(\([^)]*|[^\n;#]+)|import +([^\n;#]+))/gm)];
  const names = modules.flatMap(([, from, what, plain]) => {
    const list = (text) => text.replace("(", "").split(",").map((name) => name.trim().split(/\s/)[0]);
    return from ? [from, ...list(what).map((name) => `${from}.${name}`)] : list(plain);
  });
  const dotted = [...code.matchAll(/\bstbp_edu(?:\.\w+)+/g)].map(([name]) => name);
  const found = [...names, ...dotted].flatMap((name) => {
    const parts = name.split(".");
    return [parts[0], ...parts.flatMap((_, k) => about.needs[parts.slice(0, k + 1).join(".")] ?? [])];
  });
  return found.filter((name) => name in about.later);
}

// What the page's policy refuses happens here, and is told there.
addEventListener("securitypolicyviolation", ({ blockedURI }) => postMessage({ type: "refused", uri: blockedURI }));

let python, runner;
async function start() {
  const [told, script] = await Promise.all([json("about.json"), (await plainFetch(new URL("runner.py", import.meta.url))).text()]);
  about = told;
  for (const name of ["pyodide.asm.wasm", "python_stdlib.zip"]) expected.add(name);
  const options = { indexURL: runtime.href, lockFileURL: new URL("about.json", runtime).href, env: { MPLBACKEND: "AGG", HOME: "/home/pyodide" } };
  const packs = about.first.map(pack);
  try {
    python = await restored(loadPyodide, options, packs, ask(about.start.file), about.start);
  } catch (fault) {
    console.warn(`Python starts without its snapshot: ${fault}`);
    python = await ordinary(loadPyodide, options, packs);
  }
  python.FS.writeFile("/home/pyodide/page_runner.py", script);
  runner = python.runPython("import page_runner; page_runner.Runner").call(null, (text) =>
    postMessage(JSON.parse(text)),
  );
}

async function load(names) {
  const all = [...new Set(names.flatMap((name) => [name, ...about.later[name].depends]))].filter((name) => !known.has(name));
  const packs = all.map((name) => pack(about.later[name].file));
  for (const [k, name] of all.entries()) {
    write(python.FS, python._api.sitePackages, await packs[k]);
    known.add(name);
  }
  if (all.length) python.runPython("import importlib; importlib.invalidate_caches()");
}

let ready;
async function run({ code, number, view }) {
  ready ??= start();
  await ready;
  await load(wanted(code));
  postMessage({ type: "running" });
  const result = JSON.parse(runner.run(code, number, view));
  const missing = result.error?.missing?.split(".")[0];
  if (!(missing in about.later) || known.has(missing)) return result;
  await load([missing]); // an import that could not be read off the cell: load it and start over
  postMessage({ type: "clear" });
  return JSON.parse(runner.run(code, number, view));
}

// What a reader may run next: its libraries are loaded and its imports made, and nothing is said.
async function warm(code) {
  ready ??= start();
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
