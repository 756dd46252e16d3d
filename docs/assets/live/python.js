// The page's side of the worker: one run at a time, and an end at any time.
export class Stopped extends Error {}

export class Python {
  #worker;
  #current;
  #refused;

  // `refused` is told the address of each request that the policy refuses, at any time.
  constructor(refused) {
    this.#refused = refused;
  }

  // Runs a cell; `on` gets what it shows and how the loading goes. Rejects with Stopped.
  run(code, number, on) {
    this.#worker ??= this.#start();
    return new Promise((resolve, reject) => {
      this.#current = { resolve, reject, on };
      this.#worker.postMessage({ code, number, view: matchMedia("(max-width: 30em)").matches ? "narrow" : "wide" });
    });
  }

  // Begins to load what a cell needs, unless a cell runs.
  warm(code) {
    this.#worker ??= this.#start();
    if (!this.#current) this.#worker.postMessage({ warm: code });
  }

  // Ends Python at once, even in the middle of a loop. True if there was something to end.
  stop() {
    const had = Boolean(this.#worker);
    this.#worker?.terminate();
    this.#worker = undefined;
    const current = this.#current;
    this.#current = undefined;
    current?.reject(new Stopped());
    return had;
  }

  // The worker starts from a blob, so that the page's Content-Security-Policy holds in it too.
  #start() {
    const code = new URL("worker.js", import.meta.url).href;
    const blob = new Blob([`import ${JSON.stringify(code)};`], { type: "text/javascript" });
    const worker = new Worker(URL.createObjectURL(blob), { type: "module" });
    worker.onmessage = ({ data }) => this.#receive(data);
    worker.onerror = (event) =>
      this.#receive({
        type: "done",
        ok: false,
        error: { name: "Error", message: "Python could not be started.", text: `Python could not be started. ${event.message ?? ""}`, fatal: true },
      });
    return worker;
  }

  #receive(message) {
    if (message.type === "refused") return this.#refused(message.uri);
    const current = this.#current;
    if (!current) return;
    if (message.type !== "done") return current.on(message);
    this.#current = undefined;
    if (message.error?.fatal) this.stop();
    current.resolve(message);
  }
}
