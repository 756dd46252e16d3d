// What an output may put on the page: DOMPurify's list of what is allowed, and ids of its own.
import DOMPurify from "../vendor/dompurify/purify.es.mjs";

const DATA = ["exercise", "state", "mistakes", "view", "prediction", "answer", "measured", "question", "choices"].map(
  (name) => `data-${name}`,
);
const ALLOWED = {
  USE_PROFILES: { html: true, svg: true, svgFilters: true, mathMl: true },
  ADD_TAGS: ["use"], // of matplotlib's figures; see below where it may lead
  FORBID_TAGS: ["form"],
  ALLOW_DATA_ATTR: false,
  ADD_ATTR: DATA,
  ADD_URI_SAFE_ATTR: DATA, // else "Which change form: δ?" is taken for an address
  RETURN_DOM_FRAGMENT: true,
};
const HTML = "http://www.w3.org/1999/xhtml";
const REFERENCES = ["href", "xlink:href", "for", "aria-labelledby", "aria-describedby"];

// A style sheet in HTML holds for the whole page; a figure keeps its own, which is confined below.
DOMPurify.addHook("uponSanitizeElement", (node, { tagName }) => {
  if (tagName === "style" && node.namespaceURI === HTML) node.remove();
});
DOMPurify.addHook("uponSanitizeAttribute", (node, attribute) => {
  const isLink = attribute.attrName === "href" || attribute.attrName === "xlink:href";
  if (node.localName === "use" && isLink && !attribute.attrValue.startsWith("#")) attribute.keepAttr = false;
});

let outputs = 0;

// The allowed part of some HTML or SVG, as nodes.
export function cleaned(markup) {
  const fragment = DOMPurify.sanitize(markup, ALLOWED);
  outputs += 1;
  for (const style of fragment.querySelectorAll("style")) confine(style, `output-${outputs}`);
  renameIds(fragment, (id) => `output-${outputs}-${id}`);
  return fragment;
}

// A browser lets a style sheet in SVG hold for the whole page, too: here it does for its own figure.
function confine(style, name) {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(style.textContent);
  style.textContent = confined(sheet.cssRules, `.${name}`);
  style.closest("svg")?.classList.add(name);
}

// Rules of other kinds are left out, and so are rules inside a rule.
function confined(rules, place) {
  const kept = [];
  for (const rule of rules) {
    if (rule instanceof CSSKeyframesRule) kept.push(rule.cssText);
    if (rule instanceof CSSMediaRule) kept.push(`@media ${rule.conditionText} {${confined(rule.cssRules, place)}}`);
    if (rule instanceof CSSStyleRule) kept.push(`:is(${rule.selectorText}):where(${place}, ${place} *) {${rule.style.cssText}}`);
  }
  return kept.join("\n");
}

// With an id of the page's, an output would be found in the place of a part of the page.
function renameIds(fragment, name) {
  const owners = [...fragment.querySelectorAll("[id]")];
  const ids = new Set(owners.map(({ id }) => id));
  for (const owner of owners) owner.id = name(owner.id);
  for (const element of fragment.querySelectorAll("*")) {
    element.removeAttribute("name"); // by which a page finds an element, too
    for (const { name: attribute, value } of [...element.attributes]) {
      const renamed = REFERENCES.includes(attribute) ? reference(value, ids, name) : urls(value, ids, name);
      if (renamed !== value) element.setAttribute(attribute, renamed);
    }
  }
}

function reference(value, ids, name) {
  const renamed = (word) => {
    const id = word.replace(/^#/, "");
    return ids.has(id) ? word.replace(id, name(id)) : word;
  };
  return value.split(" ").map(renamed).join(" ");
}

const urls = (value, ids, name) => value.replace(/url\(["']?#([^"')]+)["']?\)/g, (all, id) => (ids.has(id) ? `url(#${name(id)})` : all));
