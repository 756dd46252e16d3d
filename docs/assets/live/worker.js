// Runs Python away from the page, so that the page stays alive and can end it at any time.
import { loadPyodide } from "../pyodide/pyodide.mjs";
import { Files, layOut } from "./files.js";

const runtime = new URL("../pyodide/", import.meta.url);
const answerOf = (name) => fetch(new URL(name, import.meta.url));

// What the page's policy refuses happens here, and is told there.
addEventListener("securitypolicyviolation", ({ blockedURI }) => postMessage({ type: "refused", uri: blockedURI }));

let about; // what the build says of the runtime's files
let files;
const asked = new Map(); // libraries by name, each with the promise of its bytes
const known = new Set(); // libraries that are laid out

// The libraries that a cell's imports ask for; of this package's own modules, too.
function wanted(code) {
  const modules = [...code.matchAll(/^[ \t]*(?:from +([\w.]+) +import +(\([^)]*|[^\n;#]+)|import +([^\n;#]+))/gm)];
  const names = modules.flatMap(([, from, what, plain]) => {
    const list = (text) => text.replace("(", "").split(",").map((name) => name.trim().split(/\s/)[0]);
    return from ? [from, ...list(what).map((name) => `${from}.${name}`)] : list(plain);
  });
  const dotted = [...code.matchAll(/\bstbp_edu(?:\.\w+)+/g)].map(([name]) => name);
  const charts = [...code.matchAll(/\bplotting\.\w+/g)].map(([name]) => `stbp_edu.${name}`);
  const found = [...names, ...dotted, ...charts].flatMap((name) => {
    const parts = name.split(".");
    return [parts[0], ...parts.flatMap((_, k) => about.needs[parts.slice(0, k + 1).join(".")] ?? [])];
  });
  return found.filter((name) => name in about.later);
}

function ask(names) {
  const all = names.flatMap((name) => [...about.later[name].depends, name]);
  for (const name of all) if (!asked.has(name)) asked.set(name, files.bytes(about.later[name].file));
  return all;
}

async function load(names) {
  const missing = ask(names).filter((name) => !known.has(name));
  for (const name of new Set(missing)) {
    layOut(python.FS, python._api.sitePackages, await asked.get(name));
    known.add(name);
  }
  if (missing.length) python.runPython("import importlib; importlib.invalidate_caches()");
}

let python, runner;
async function start(code) {
  about = await (await fetch(new URL("about.json", runtime))).json();
  files = new Files(about, (progress) => postMessage({ type: "progress", ...progress }));
  files.serve();
  const packs = about.first.map((name) => files.bytes(name));
  const script = await (await answerOf("runner.py")).text();
  // What the first cell imports is asked for when Python itself is there, and comes while it starts.
  Promise.all(packs).then(() => ask(wanted(code)), () => {});
  const fsInit = async (FS, { sitePackages }) => {
    for (const pack of packs) layOut(FS, sitePackages, await pack);
  };
  const env = { MPLBACKEND: "AGG", HOME: "/home/pyodide" };
  python = await loadPyodide({ indexURL: runtime.href, lockFileURL: new URL("about.json", runtime).href, env, fsInit });
  python.FS.writeFile("/home/pyodide/page_runner.py", script);
  runner = python.runPython("import page_runner; page_runner.Runner").call(null, (text) => postMessage(JSON.parse(text)));
}

let ready;
async function run({ code, number, view }) {
  ready ??= start(code);
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

async function handle(data) {
  if ("prepare" in data) {
    ready ??= start(data.prepare);
    return ready.catch(() => {}); // a run meets the same fault, and tells
  }
  if ("names" in data) {
    ready ??= start("");
    const names = await ready.then(() => JSON.parse(runner.names(data.names)), () => []);
    return postMessage({ type: "names", names });
  }
  try {
    postMessage({ type: "done", ...(await run(data)) });
  } catch (failure) {
    const text = `Python could not be started.\n${failure}`;
    postMessage({ type: "done", ok: false, error: { name: "Error", message: String(failure), text, fatal: true } });
  }
}

let last = Promise.resolve();
onmessage = ({ data }) => (last = last.then(() => handle(data)));
