// node start.mjs <folder>: start Python with the packs of the folder, and write its memory there.
// What a page needs to restore it goes to standard output, as JSON. See docs/assets/live/start.js.
import fs from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { gunzipSync, gzipSync } from "node:zlib";
import { ROOM, libraries, setCounter, write } from "../../../docs/assets/live/start.js";

const [, , folder, ...packs] = process.argv;
const file = (name) => path.join(folder, name);
const { loadPyodide } = await import(pathToFileURL(file("pyodide.mjs")));
const env = { HOME: "/home/pyodide", MPLBACKEND: "AGG", PYTHONHASHSEED: "0" };
const options = { indexURL: `${folder}/`, lockFileURL: file("about.json"), env, _makeSnapshot: true };
const python = await loadPyodide(options);
python._module.wasmTable.grow(ROOM);
for (const pack of packs) {
  const { buffer, byteOffset, length } = gunzipSync(fs.readFileSync(file(pack)));
  write(python.FS, python._api.sitePackages, new Uint8Array(buffer.slice(byteOffset, byteOffset + length)));
}
python.FS.writeFile("/home/pyodide/page_runner.py", fs.readFileSync(new URL("../../../docs/assets/live/runner.py", import.meta.url)));
python.runPython(fs.readFileSync(new URL("imported.py", import.meta.url), "utf8"));

const { _module: module } = python;
const found = libraries(module);
for (const { handle } of found.libs) { // their files were read into memory, and the packs have them
  const [data, size] = module.HEAPU32.subarray(handle / 4 + 7);
  module.HEAPU8.fill(0, data, data + size);
}
const open = module.FS.streams.filter(Boolean).map(({ path }) => path);
if (open.length > 3) throw new Error(`a page could not read on from open files: ${open}`);
setCounter(module, 0);
const snapshot = python.makeMemorySnapshot();
fs.writeFileSync(file("memory.pack"), gzipSync(snapshot, { level: 9 }));
console.log(JSON.stringify({ ...found, size: snapshot.length }));
