// What Python is doing, at the edge of the page: words, a bar, the time, and the button that stops it.
import { box, button, paragraph } from "./elements.js";

const TICK = 250; // milliseconds
const LINGER = 4000; // milliseconds that good news stays
const megabytes = (bytes) => (bytes / 1e6).toFixed(1);

export class Status {
  #words = paragraph("live-status");
  #now = paragraph("live-now"); // changes too often to be read out
  #meter = Object.assign(document.createElement("progress"), { className: "live-meter", hidden: true, max: 1 });
  #stop;
  #box;
  #clock;
  #fading;
  #said = 0; // bytes of the last total that was told
  #loaded = ""; // how much has come
  #begun = 0; // when what is timed began

  constructor(stop) {
    this.#words.setAttribute("role", "status");
    this.#now.setAttribute("aria-hidden", "true");
    this.#meter.setAttribute("aria-label", "Loading Python");
    this.#stop = button("Stop", "Stop Python", stop, "live-stop");
    this.#stop.disabled = true;
    const dismiss = button("×", "Hide this message", () => this.#close(), "live-dismiss");
    this.#box = box("live-pill", box("live-words", this.#words, this.#now), this.#meter, this.#stop, dismiss);
    this.#box.setAttribute("role", "region");
    this.#box.setAttribute("aria-label", "Python on this page");
    document.body.append(this.#box);
  }

  get isStopFocused() {
    return document.activeElement === this.#stop;
  }

  say(text) {
    if (this.#words.textContent !== text) this.#words.textContent = text;
    this.#box.toggleAttribute("data-open", Boolean(text));
  }

  // Says that it is well, and goes away by itself.
  wellDone(text) {
    this.say(text);
    clearTimeout(this.#fading);
    this.#fading = setTimeout(() => this.#clock || this.#close(), LINGER);
  }

  loading({ received, total }) {
    this.#meter.hidden = received === total;
    this.#meter.value = received / total;
    this.#loaded = `${megabytes(received)} MB`;
    if (received === total) return this.say("Starting Python…");
    if (this.#said === total) return;
    this.#said = total;
    this.say(`Loading Python: ${megabytes(total)} MB. It stays in this browser and sends nothing.`);
  }

  running(words) {
    this.#loaded = "";
    this.#meter.hidden = true;
    this.#begun = performance.now();
    this.say(words);
  }

  // While something runs, the time moves on.
  busy(yes) {
    document.documentElement.toggleAttribute("data-live-busy", yes);
    this.#box.toggleAttribute("data-busy", yes);
    this.#stop.disabled = !yes;
    clearInterval(this.#clock);
    this.#clock = undefined;
    this.#now.textContent = "";
    this.#meter.hidden = true;
    if (!yes) return;
    this.#begun = performance.now();
    this.#clock = setInterval(() => this.#tick(), TICK);
  }

  #tick() {
    const seconds = ((performance.now() - this.#begun) / 1000).toFixed(1);
    this.#now.textContent = [this.#loaded, `${seconds} s`].filter(Boolean).join(" · ");
  }

  #close() {
    this.#box.removeAttribute("data-open");
  }
}
