// node compile_wheels.mjs <pyodide.mjs> <compiled_wheel.py> <jobs>: runs compiled_wheel.py in Pyodide.
// Jobs is a JSON list of { from, to, folder, sources }.
import fs from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";

const [, , pyodide, script, jobs] = process.argv;
const { loadPyodide } = await import(pathToFileURL(pyodide));
const python = await loadPyodide();
python.FS.writeFile("/home/pyodide/compiled_wheel.py", fs.readFileSync(script));
const { compile_wheel } = python.pyimport("compiled_wheel");
const { Path } = python.pyimport("pathlib");
const old = Path("/tmp/old");

for (const { from, to, folder, sources } of JSON.parse(jobs)) {
  python.FS.writeFile("/tmp/old", fs.readFileSync(from));
  const made = `/tmp/${path.basename(to)}`;
  compile_wheel(old, Path(made), folder, sources);
  fs.writeFileSync(`${to}.part`, python.FS.readFile(made)); // whole, or not there at all
  fs.renameSync(`${to}.part`, to);
}
