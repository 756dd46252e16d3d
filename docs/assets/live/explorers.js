// Loads an explorer when its place comes near the screen: an anywidget module with a small model.
class Model {
  #state;
  #listeners = new Map();

  constructor(state) {
    this.#state = { ...state };
  }
  get(name) {
    return this.#state[name];
  }
  set(name, value) {
    this.#state[name] = value;
    for (const listener of this.#listeners.get(`change:${name}`) ?? []) listener();
  }
  on(event, listener) {
    this.#listeners.set(event, [...(this.#listeners.get(event) ?? []), listener]);
  }
  off(event, listener) {
    this.#listeners.set(event, (this.#listeners.get(event) ?? []).filter((l) => listener && l !== listener));
  }
  save_changes() {}
}

async function load(el) {
  const name = el.dataset.explorer;
  if (!/^[\w-]+$/.test(name) || el.dataset.loaded) return;
  el.dataset.loaded = "";
  const module = await import(new URL(`../explorers/${name}.js`, import.meta.url));
  const state = JSON.parse(el.dataset.state ?? "{}");
  if (name === "hunt") state.saved = await import(new URL("../explorers/saved.js", import.meta.url));
  if (el.dataset.source) state.data = await (await fetch(el.dataset.source)).json();
  const model = new Model(state);
  const render = module.render ?? module.default.render;
  await module.default?.initialize?.({ model });
  await render({ model, el });
}

const near = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) if (isIntersecting) near.unobserve(target), load(target);
}, { rootMargin: "300px" }); // prettier-ignore
const watch = (root) => root.querySelectorAll("div[data-explorer]").forEach((el) => near.observe(el));
watch(document);
// Paper shows all of them.
addEventListener("beforeprint", () => document.querySelectorAll("div[data-explorer]").forEach((el) => load(el)));
// A cell that is run brings one, too.
new MutationObserver((changes) => {
  for (const { addedNodes } of changes) for (const node of addedNodes) if (node.parentElement) watch(node.parentElement);
}).observe(document.querySelector("main") ?? document.body, { childList: true, subtree: true });
