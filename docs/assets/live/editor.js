// A text area laid over the highlighted code: the browser's own editing, with colours.
import { highlight } from "./highlight.js";

const INDENT = "    ";

export function editor(cell, number, { changed, run }) {
  const box = cell.querySelector(".cell-code");
  const code = box.querySelector("code");
  const original = code.textContent;
  const pre = code.closest("pre");
  const area = document.createElement("textarea");
  Object.assign(area, { value: original, spellcheck: false, autocapitalize: "off", autocomplete: "off", rows: 1, className: "cell-editor" });
  area.setAttribute("aria-label", `Code of cell ${number}`);
  area.setAttribute("aria-describedby", "live-keys");
  area.setAttribute("wrap", "off");
  pre.setAttribute("aria-hidden", "true");
  code.removeAttribute("tabindex");
  box.querySelector(".highlight").append(area);
  let typed = false; // Tab leaves the editor until something was typed, and again after Escape

  const draw = () => (code.innerHTML = highlight(area.value) + "\n");
  const insert = (text) => document.execCommand("insertText", false, text);
  area.addEventListener("input", () => {
    typed = true;
    draw();
    changed(area.value);
  });
  area.addEventListener("focus", () => (typed = false));
  area.addEventListener("keydown", (event) => {
    if (event.key === "Escape") typed = false;
    if (event.key === "Enter" && (event.shiftKey || event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      run();
    } else if (event.key === "Enter") {
      const line = area.value.slice(0, area.selectionStart).split("\n").pop();
      const indent = /^\s*/.exec(line)[0] + (/:\s*(#.*)?$/.test(line) ? INDENT : "");
      event.preventDefault();
      insert(`\n${indent}`);
    } else if (event.key === "Tab" && typed && !event.shiftKey) {
      event.preventDefault();
      insert(INDENT);
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
      draw();
    },
  };
}
