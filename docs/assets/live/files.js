// The files that Python starts from: asked for, and counted as they arrive.
const runtime = new URL("../pyodide/", import.meta.url);
const plainFetch = self.fetch.bind(self);
const OFTEN = 100; // milliseconds between two reports

export class Files {
  #asked = new Set();
  #received = 0;
  #reported = 0;
  #report;

  // `report` is told how many bytes of how many have arrived.
  constructor(about, report) {
    this.about = about;
    this.#report = report;
  }

  // The bytes of a file, as they arrive.
  async #open(name) {
    this.#asked.add(name);
    const answer = await plainFetch(new URL(name, runtime));
    if (!answer.ok) throw new Error(`${name} did not come: ${answer.status}`);
    const count = (chunk, out) => {
      this.#received += chunk.byteLength;
      this.#told();
      out.enqueue(chunk);
    };
    return answer.body.pipeThrough(new TransformStream({ transform: count }));
  }

  async bytes(name) {
    return new Response(await this.#open(name)).arrayBuffer();
  }

  // Pyodide asks for two files by names of its own, which are packed under other names.
  serve() {
    const types = { wasm: "application/wasm", zip: "application/zip" };
    self.fetch = async (...request) => {
      const name = String(request[0]).split("/").pop();
      if (!(name in this.about.packed)) return plainFetch(...request);
      const headers = { "Content-Type": types[name.split(".").pop()] };
      const packed = await this.#open(this.about.packed[name]);
      return new Response(packed.pipeThrough(new DecompressionStream("gzip")), { headers });
    };
  }

  #told() {
    const total = [...this.#asked].reduce((sum, name) => sum + this.about.sizes[name], 0);
    const now = performance.now();
    if (now - this.#reported < OFTEN && this.#received < total) return;
    this.#reported = now;
    this.#report({ received: this.#received, total });
  }
}
