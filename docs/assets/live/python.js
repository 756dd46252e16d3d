// The page's side of the worker: one run at a time, and an end at any time.
export class Stopped extends Error {}

const narrow = matchMedia("(max-width: 30em)");

export class Python {
  #worker;
  #current;
  #asked = []; // who waits for names
  #told;

  // `told` has a function for what happens at any time: loading, running, and refused addresses.
  constructor(told) {
    this.#told = told;
  }

  // Runs a cell; `on` gets what it shows. Rejects with Stopped.
  run(code, number, on) {
    this.#worker ??= this.#start();
    return new Promise((resolve, reject) => {
      this.#current = { number, resolve, reject, on };
      this.#worker.postMessage({ code, number, view: narrow.matches ? "narrow" : "wide" });
    });
  }

  // Resolves with the names with which a text may go on, when Python is free; with none if it ends.
  names(text) {
    this.#worker ??= this.#start();
    this.#worker.postMessage({ names: text });
    return new Promise((resolve) => this.#asked.push(resolve));
  }

  // Starts Python, which code that is being written will need.
  prepare() {
    if (this.#worker) return;
    this.#worker = this.#start();
    this.#worker.postMessage({ prepare: true });
  }

  // Ends Python at once, even in the middle of a loop. True if there was something to end.
  stop() {
    const had = Boolean(this.#worker);
    this.#worker?.terminate();
    this.#worker = undefined;
    const current = this.#current;
    this.#current = undefined;
    current?.reject(new Stopped());
    for (const resolve of this.#asked.splice(0)) resolve([]);
    return had;
  }

  // The worker starts from a blob, so that the page's Content-Security-Policy holds in it too.
  #start() {
    const code = new URL("worker.js", import.meta.url).href;
    const blob = new Blob([`import ${JSON.stringify(code)};`], { type: "text/javascript" });
    const worker = new Worker(URL.createObjectURL(blob), { type: "module" });
    const message = "Python could not be started.";
    worker.onmessage = ({ data }) => this.#receive(data);
    worker.onerror = (event) =>
      this.#receive({ type: "done", ok: false, error: { name: "Error", message, text: `${message} ${event.message ?? ""}`, fatal: true } });
    return worker;
  }

  #receive(message) {
    if (message.type === "refused") return this.#told.refused(message.uri);
    if (message.type === "names") return this.#asked.shift()?.(message.names);
    const current = this.#current;
    if (!current) return;
    if (message.type === "progress") return this.#told.loading(message);
    if (message.type === "running") return this.#told.running(current.number);
    if (message.type !== "done") return current.on(message);
    this.#current = undefined;
    if (message.error?.fatal) this.stop();
    current.resolve(message);
  }
}
