// Speaks formulas: one JSON string of TeX a line in, one JSON string of words a line out.
import { createRequire } from "node:module";
import path from "node:path";
import readline from "node:readline";

const require = createRequire(path.join(process.argv[2], "anchor.js"));
const MathJax = require("mathjax");
const json = path.join(path.dirname(require.resolve("speech-rule-engine/package.json")), "lib", "mathmaps");
process.env.SRE_JSON_PATH = json;

await MathJax.init({ loader: { load: ["input/tex"] } });
const engine = require("speech-rule-engine");
await engine.setupEngine({ locale: "en", domain: "clearspeak", modality: "speech", json });
await engine.engineReady();

for await (const line of readline.createInterface({ input: process.stdin })) {
  let words;
  try {
    const mathml = await MathJax.tex2mmlPromise(JSON.parse(line), { display: true });
    const error = /<merror[^>]*data-mjx-error="([^"]*)"/.exec(mathml);
    words = error ? { error: error[1] } : { speech: engine.toSpeech(mathml) };
  } catch (failure) {
    words = { error: String(failure) };
  }
  process.stdout.write(JSON.stringify(words) + "\n");
}
