// Cuts fonts down to the characters that nearly every page uses: subset.mjs FOLDER JOBS
// FOLDER holds node_modules; JOBS is JSON: [{ from, to, text, weight }], weight a number or [min, max].
import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

const [, , folder, jobs] = process.argv;
const subset = createRequire(path.join(folder, "anchor.js"))("subset-font");

for (const { from, to, text, weight } of JSON.parse(jobs)) {
  const wght = Array.isArray(weight) ? { min: weight[0], max: weight[1] } : weight;
  const font = await subset(fs.readFileSync(from), text, { targetFormat: "woff2", variationAxes: { wght } });
  fs.writeFileSync(to, font);
}
