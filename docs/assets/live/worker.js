// Runs Python away from the page, so that the page stays alive and can end it at any time.
import { loadPyodide } from "../pyodide/pyodide.mjs";
import { Files } from "./files.js";

const runtime = new URL("../pyodide/", import.meta.url);
const answerOf = (name) => fetch(new URL(name, import.meta.url));

// What the page's policy refuses happens here, and is told there.
addEventListener("securitypolicyviolation", ({ blockedURI }) => postMessage({ type: "refused", uri: blockedURI }));

let about; // what the build says of the runtime's files
let files, python, runner, folder;

const layOut = (pack) => python.unpackArchive(pack, "gztar", { extractDir: folder });

// A library comes when Python first imports it, and Python waits for it.
function bring(name) {
  const file = about.later[name];
  postMessage({ type: "progress", received: 0, total: about.sizes[file] });
  const request = new XMLHttpRequest();
  request.open("GET", new URL(file, runtime), false);
  request.responseType = "arraybuffer";
  request.send();
  if (request.status !== 200) throw new Error(`${file} did not come: ${request.status}`);
  layOut(request.response);
  postMessage({ type: "running" });
}

async function start() {
  about = await (await fetch(new URL("about.json", runtime))).json();
  files = new Files(about, (progress) => postMessage({ type: "progress", ...progress }));
  files.serve();
  const packs = about.first.map((name) => files.bytes(name));
  const script = await (await answerOf("runner.py")).text();
  const env = { MPLBACKEND: "AGG", HOME: "/home/pyodide" };
  python = await loadPyodide({ indexURL: runtime.href, lockFileURL: new URL("about.json", runtime).href, env });
  folder = python.runPython("import sysconfig; sysconfig.get_path('platlib')");
  for (const pack of packs) layOut(await pack);
  python.FS.writeFile("/home/pyodide/page_runner.py", script);
  const module = python.pyimport("page_runner");
  module.bring_when_imported(Object.keys(about.later), bring);
  runner = module.Runner((text) => postMessage(JSON.parse(text)));
}

let ready;
async function run({ code, number, view }) {
  ready ??= start();
  await ready;
  postMessage({ type: "running" });
  return JSON.parse(runner.run(code, number, view));
}

async function handle(data) {
  if ("prepare" in data) {
    ready ??= start();
    return ready.catch(() => {}); // a run meets the same fault, and tells
  }
  if ("names" in data) {
    ready ??= start();
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
