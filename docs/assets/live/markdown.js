// The Markdown of a problem set as HTML: what `stbp-edu assign` writes, and no more.
const SIGNS = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
const escaped = (text) => text.replace(/[&<>"]/g, (sign) => SIGNS[sign]);

const BLOCKS = /```\w*\n([\s\S]*?)```/g;
const CODE = /`([^`\n]+)`/g;
const FORMULA = /\$\$[\s\S]+?\$\$|\$[^$]+\$/g;
const DASHES = /^\|(?:[ :]*-+[ :]*\|)+$/;
const ITEM = /^(?:[-*]|\d+\.) +/;

// A screen reader gets the TeX.
function typeset(formula) {
  const isDisplay = formula.startsWith("$$");
  const tex = formula.slice(isDisplay ? 2 : 1, isDisplay ? -2 : -1).trim();
  return `<span class="arithmatex" role="img" aria-label="${escaped(tex)}">${escaped(formula)}</span>`;
}

function inline(text) {
  return text
    .replace(/\*\*([^*]+)\*\*/g, "<strong>$1</strong>")
    .replace(/\*([^*\n]+)\*/g, "<em>$1</em>")
    .replace(/\[([^\]]+)\]\(([^()\s]+)\)/g, '<a href="$2">$1</a>');
}

// A line that begins no item continues the one before.
function list(lines) {
  const items = [];
  for (const line of lines) {
    if (ITEM.test(line)) items.push(line.replace(ITEM, ""));
    else items[items.length - 1] += ` ${line.trim()}`;
  }
  const kind = /^\d/.test(lines[0]) ? "ol" : "ul";
  return `<${kind}>${items.map((item) => `<li>${inline(item)}</li>`).join("")}</${kind}>`;
}

// Rows of cells between bars; the second one, of dashes, parts the head from the rest.
function table(lines) {
  const cells = (line) => line.replace(/^\||\|$/g, "").split("|");
  const row = (line, tag) => `<tr>${cells(line).map((cell) => `<${tag}>${inline(cell.trim())}</${tag}>`).join("")}</tr>`;
  const [head, , ...rest] = lines.map((line) => line.trim());
  return `<table><thead>${row(head, "th")}</thead><tbody>${rest.map((line) => row(line, "td")).join("")}</tbody></table>`;
}

// The title of the page stands above; so each heading is one level lower than in the notebook.
function block(text) {
  const [, signs, title] = /^(#{1,4}) +(.*)$/.exec(text) ?? [];
  if (signs) return `<h${signs.length + 1}>${inline(title)}</h${signs.length + 1}>`;
  const lines = text.split("\n");
  if (lines.length > 1 && DASHES.test(lines[1].trim())) return table(lines);
  const first = lines.findIndex((line) => ITEM.test(line));
  if (first < 0) return `<p>${inline(text)}</p>`;
  const before = first > 0 ? `<p>${inline(lines.slice(0, first).join("\n"))}</p>` : "";
  return before + list(lines.slice(first));
}

export function html(markdown) {
  const kept = []; // code and formulas, in which no sign means Markdown or HTML
  const keep = (markup) => `\u0001${kept.push(markup) - 1}\u0001`;
  const text = markdown
    .replace(BLOCKS, (_, code) => keep(`<pre><code>${escaped(code)}</code></pre>`))
    .replace(CODE, (_, code) => keep(`<code>${escaped(code)}</code>`))
    .replace(FORMULA, (formula) => keep(typeset(formula)));
  const blocks = text.split(/\n\s*\n/).filter((part) => part.trim());
  return blocks.map((part) => block(part.trim())).join("\n").replace(/\u0001(\d+)\u0001/g, (_, k) => kept[k]);
}
