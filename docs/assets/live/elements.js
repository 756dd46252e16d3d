// The parts that the live cells are made of.
export function button(label, name, action, className = "") {
  const element = document.createElement("button");
  Object.assign(element, { type: "button", className: `live-button ${className}` });
  rename(element, label, name);
  element.addEventListener("click", action);
  return element;
}

export function box(className, ...children) {
  const element = Object.assign(document.createElement("div"), { className });
  element.append(...children);
  return element;
}

export function paragraph(className, text = "") {
  return Object.assign(document.createElement("p"), { className, textContent: text });
}

export function rename(element, label, name) {
  if (element.textContent !== label) element.textContent = label;
  element.setAttribute("aria-label", name);
}

// The second click of a double click on a button that resets, and then undoes, would undo.
export const once = (action) => (event) => event.detail > 1 || action();
