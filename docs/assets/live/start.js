// Starts Python: files are laid out by the browser, and memory comes from a snapshot.
//
// The build (tools/site/assets/start.mjs) starts Pyodide once, imports what most cells import, and
// keeps its memory. What a snapshot lacks are the libraries in C: their code goes into a table, and
// memory refers to it by number. They are loaded here in the same order, so that each function gets
// its old number; if one did not, an ordinary start takes over. Browsers add some functions of their
// own before the first library, so the build leaves ROOM for them.
export const ROOM = 64;

const stream = (answer) => answer.body.pipeThrough(new DecompressionStream("gzip"));

export async function unpacked(answer) {
  return new Uint8Array(await new Response(stream(answer)).arrayBuffer());
}

// Piece by piece into memory that is there: memory that is fresh costs more than what is put into it.
export async function unpackInto(bytes, answer) {
  const reader = stream(answer).getReader();
  for (let at = 0, piece; !(piece = await reader.read()).done; at += piece.value.length) bytes.set(piece.value, at);
}

// A pack is the length of an index, the index (names and sizes, as JSON), and the files one after another.
export function write(FS, folder, pack) {
  const length = new DataView(pack.buffer).getUint32(0, true);
  const index = JSON.parse(new TextDecoder().decode(pack.subarray(4, 4 + length)));
  let at = 4 + length;
  const made = new Set();
  for (const [name, size] of index) {
    const path = `${folder}/${name}`;
    const parent = path.slice(0, path.lastIndexOf("/"));
    if (!made.has(parent)) FS.mkdirTree(parent);
    made.add(parent);
    FS.writeFile(path, pack.subarray(at, (at += size)), { canOwn: true });
  }
}

// The libraries in C that are loaded, in their order, and the size of the table after the last.
export function libraries({ LDSO, HEAPU32, wasmTable }) {
  const loaded = Object.entries(LDSO.loadedLibsByHandle).filter(([, { name }]) => name.endsWith(".so"));
  const libs = loaded.map(([handle, { name }]) => ({ name, handle: Number(handle), table: HEAPU32[(Number(handle) + 20) / 4] }));
  return { libs: libs.sort((a, b) => a.table - b.table), end: wasmTable.length };
}

// Where the browser can count a function's arguments, Python uses that: a quicker way to call it.
export function setCounter(module, pointer) {
  const { HEAP32, __PyRuntime, __PyEM_EMSCRIPTEN_COUNT_ARGS_OFFSET: offset } = module;
  HEAP32[(__PyRuntime + HEAP32[offset / 4]) / 4] = pointer;
}

// `spare` is as large as the memory, and no longer needed: loading a library writes to its part of the
// memory, which is put back afterwards.
function link(module, { libs, end }, compiled, spare) {
  const memory = spare.subarray(0, module.HEAPU8.length);
  memory.set(module.HEAPU8);
  module.wasmTable.grow(libs[0].table - module.wasmTable.length);
  for (const [k, { name, handle, table }] of libs.entries()) {
    const next = libs[k + 1]?.table ?? end;
    if (module.wasmTable.length !== table) throw new Error(`${name} has another place`);
    const library = Object.assign(module.newDSO(name, handle, "loading"), { refcount: Infinity, global: false });
    library.exports = module.loadWebAssemblyModule(compiled[k], { loadAsync: false }, name, {}, handle);
    const begin = Object.keys(library.exports).find((one) => one.startsWith("PyInit_"));
    if (module.wasmTable.length < next) module.addFunction(library.exports[begin]);
    if (module.wasmTable.length !== next) throw new Error(`${name} has another size`);
  }
  module.HEAPU8.set(memory);
  setCounter(module, module._PyEM_CountArgsPtr);
}

// `packs` are promises of bytes, `memory` that of an answer; `start` is what the build wrote of the snapshot.
export async function restored(loadPyodide, options, packs, memory, start) {
  const snapshot = new Uint8Array(start.size);
  const filled = memory.then((answer) => unpackInto(snapshot, answer));
  let compiled;
  const fsInit = async (FS, { sitePackages }) => {
    for (const pack of packs) write(FS, sitePackages, await pack);
    compiled = Promise.all(start.libs.map(({ name }) => WebAssembly.compile(FS.readFile(name))));
    await filled;
  };
  const python = await loadPyodide({ ...options, fsInit, _loadSnapshot: snapshot });
  link(python._module, start, await compiled, snapshot);
  python.runPython("import gc, random, numpy; gc.enable(); random.seed(); numpy.random.seed()");
  return python;
}

export function ordinary(loadPyodide, options, packs) {
  const fsInit = async (FS, { sitePackages }) => {
    for (const pack of packs) write(FS, sitePackages, await pack);
  };
  return loadPyodide({ ...options, fsInit });
}
