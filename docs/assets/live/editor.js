// A text area laid over the highlighted code: the browser's own editing, with colours.
import { highlight } from "./highlight.js";
import { History } from "./history.js";

const INDENT = "    ";
const NAME = /[^\W\d]\w*\.?$/; // after which Tab completes
const MOST = 8; // names that are offered at once
const isCommand = ({ ctrlKey, metaKey, altKey }) => (ctrlKey || metaKey) && !altKey;

export function editor(cell, number, { changed, typed: wasTyped, run, names, offer }) {
  const code = cell.querySelector(".cell-code code");
  const original = code.textContent;
  const area = textArea(original, number);
  code.closest("pre").setAttribute("aria-hidden", "true");
  code.removeAttribute("tabindex");
  cell.querySelector(".cell-code .highlight").append(area);
  let typed = false; // Tab leaves the editor until something was typed, and again after Escape

  const state = () => ({ text: area.value, start: area.selectionStart, end: area.selectionEnd });
  const history = new History(state());
  const draw = () => (code.innerHTML = highlight(area.value) + "\n");
  const insert = (text) => document.execCommand("insertText", false, text);

  const before = () => area.value.slice(0, area.selectionStart);

  // Adds what all names that begin so have in common, as a shell does, and offers those that are left.
  async function complete() {
    const text = before();
    const begun = /\w*$/.exec(text)[0];
    offer("…");
    const found = await names(text);
    if (before() !== text || document.activeElement !== area) return offer("");
    const common = found.reduce(shared, found[0] ?? begun);
    if (common.length > begun.length) insert(common.slice(begun.length));
    const more = found.length > MOST ? `, and ${found.length - MOST} more` : "";
    if (!found.length) offer("no such name yet");
    else offer(found.length > 1 ? found.slice(0, MOST).join(", ") + more : "");
  }

  function go(by) {
    const found = history.move(by);
    if (!found) return;
    area.value = found.text;
    area.setSelectionRange(found.start, found.end);
    draw();
    changed(area.value);
  }

  area.addEventListener("input", ({ inputType }) => {
    typed = true;
    offer("");
    history.keep(state(), inputType);
    wasTyped();
    draw();
    changed(area.value);
  });
  area.addEventListener("beforeinput", (event) => {
    const by = { historyUndo: -1, historyRedo: 1 }[event.inputType]; // of a menu
    if (!by) return;
    event.preventDefault();
    go(by);
  });
  area.addEventListener("focus", () => (typed = false));
  area.addEventListener("keydown", (event) => {
    const letter = event.key.toLowerCase();
    const action = () => {
      if (event.key === "Enter" && (event.shiftKey || isCommand(event))) return run;
      if (event.key === "Enter") return () => insert(`\n${indentation(area)}`);
      if (event.key === "Tab" && typed && !event.shiftKey) {
        const isName = area.selectionStart === area.selectionEnd && NAME.test(before());
        return isName ? complete : () => insert(INDENT);
      }
      if (letter === "z" && isCommand(event)) return () => go(event.shiftKey ? 1 : -1);
      if (letter === "y" && isCommand(event)) return () => go(1);
      return undefined;
    };
    const wanted = action();
    if (event.key === "Escape") typed = false;
    if (wanted) {
      event.preventDefault();
      wanted();
    }
    event.stopPropagation(); // the theme has shortcuts of one letter
  });
  return {
    original,
    get value() {
      return area.value;
    },
    set value(text) {
      area.value = text;
      history.keep(state(), "set");
      draw();
    },
  };
}

// The letters with which both names begin.
function shared(a, b) {
  const end = [...a].findIndex((letter, k) => letter !== b[k]);
  return end < 0 ? a : a.slice(0, end);
}

function textArea(text, number) {
  const area = document.createElement("textarea");
  Object.assign(area, { value: text, spellcheck: false, autocapitalize: "off", autocomplete: "off", rows: 1, className: "cell-editor" });
  area.setAttribute("aria-label", `Code of cell ${number}`);
  area.setAttribute("aria-describedby", "live-keys");
  area.setAttribute("wrap", "off");
  return area;
}

// The new line begins where the old one does, and further in after a colon.
function indentation(area) {
  const line = area.value.slice(0, area.selectionStart).split("\n").pop();
  const before = /^\s*/.exec(line)[0];
  return /:\s*(#.*)?$/.test(line) ? before + INDENT : before;
}
