// The files that Python starts from: asked for, counted as they arrive, unpacked by the browser.
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

  // The bytes of a file, unpacked, as they arrive.
  async open(name) {
    this.#asked.add(name);
    const answer = await plainFetch(new URL(name, runtime));
    if (!answer.ok) throw new Error(`${name} did not come: ${answer.status}`);
    const count = (chunk, out) => {
      this.#received += chunk.byteLength;
      this.#told();
      out.enqueue(chunk);
    };
    return answer.body.pipeThrough(new TransformStream({ transform: count })).pipeThrough(new DecompressionStream("gzip"));
  }

  async bytes(name) {
    return new Uint8Array(await new Response(await this.open(name)).arrayBuffer());
  }

  // Pyodide asks for two files by names of its own, which are packed under other names.
  serve() {
    const types = { wasm: "application/wasm", zip: "application/zip" };
    self.fetch = async (...request) => {
      const name = String(request[0]).split("/").pop();
      if (!(name in this.about.packed)) return plainFetch(...request);
      const headers = { "Content-Type": types[name.split(".").pop()] };
      return new Response(await this.open(this.about.packed[name]), { headers });
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

// A pack is the length of an index, the index (names and sizes, as JSON), and the files one after another.
export function layOut(FS, folder, pack) {
  const length = new DataView(pack.buffer).getUint32(0, true);
  const index = JSON.parse(new TextDecoder().decode(pack.subarray(4, 4 + length)));
  let at = 4 + length;
  const made = new Set();
  for (const [name, size] of index) {
    const path = `${folder}/${name}`;
    const parent = path.slice(0, path.lastIndexOf("/"));
    if (!made.has(parent)) FS.mkdirTree(parent);
    made.add(parent);
    FS.writeFile(path, pack.subarray(at, at + size), { canOwn: true });
    at += size;
  }
}
