// Colours Python while it is edited, with the class names that Pygments uses for the page.
const KEYWORDS = "and|as|assert|async|await|break|class|continue|def|del|elif|else|except|finally|for|from|global|if|import|in|is|lambda|nonlocal|not|or|pass|raise|return|try|while|with|yield";
const CONSTANTS = "None|True|False";
const BUILTINS = "abs|all|any|bool|dict|display|enumerate|float|getattr|int|isinstance|len|list|map|max|min|next|print|range|repr|reversed|round|set|sorted|str|sum|tuple|type|zip";
const TOKENS = new RegExp(
  [
    String.raw`(?<c1>#[^\n]*)`,
    String.raw`(?<s>[rbfuRBFU]{0,2}(?:"""[\s\S]*?(?:"""|$)|'''[\s\S]*?(?:'''|$)|"(?:\\.|[^"\\\n])*"?|'(?:\\.|[^'\\\n])*'?))`,
    String.raw`(?<nd>@[\w.]+)`,
    String.raw`(?<nf>(?<=\b(?:def|class)\s+)\w+)`,
    String.raw`(?<k>\b(?:${KEYWORDS})\b)`,
    String.raw`(?<kc>\b(?:${CONSTANTS})\b)`,
    String.raw`(?<nb>(?<!\.)\b(?:${BUILTINS})\b)`,
    String.raw`(?<mi>\b(?:0[xob][\da-fA-F_]+|\d[\d_]*\.?\d*(?:[eE][+-]?\d+)?j?|\.\d+(?:[eE][+-]?\d+)?)\b)`,
    String.raw`(?<o>[-+*/%@&|^~<>=!]+)`,
    String.raw`(?<n>\w+)`,
  ].join("|"),
  "g",
);

const escape = (text) => text.replace(/[&<>]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;" })[c]);

export function highlight(code) {
  let html = "";
  let end = 0;
  for (const match of code.matchAll(TOKENS)) {
    const kind = Object.keys(match.groups).find((name) => match.groups[name] !== undefined);
    html += escape(code.slice(end, match.index));
    html += kind === "n" ? escape(match[0]) : `<span class="${kind}">${escape(match[0])}</span>`;
    end = match.index + match[0].length;
  }
  return html + escape(code.slice(end));
}
