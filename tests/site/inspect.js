// What is wrong with the page that is open, beside what axe-core finds: one line each.
() => {
  const start = (text) => [...text].slice(0, 80).join(""); // no half of a letter
  const all = (selector) => [...document.querySelectorAll(selector)];
  const meta = (name) => document.querySelector(name)?.content ?? "";
  const found = [];
  const expect = (isTrue, words) => isTrue || found.push(words);
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const code = "code, pre, script, style, textarea, mjx-container, kbd";
  const tex = /\\\(|\\\[|\$\$|\\(?:frac|sum|tag|delta)\b/;
  for (let node; (node = texts.nextNode()); )
    if (!node.parentElement.closest(code)) expect(!tex.test(node.data), `raw maths: ${start(node.data.trim())}`);
  for (const formula of all(".arithmatex")) {
    expect(formula.querySelector("mjx-container"), `maths not typeset: ${start(formula.textContent)}`);
    expect(formula.getAttribute("aria-label"), `a formula without words: ${start(formula.textContent)}`);
  }
  expect(!all("mjx-merror, [data-mjx-error]").length, "a formula failed");
  const ids = all("[id]").map((element) => element.id);
  for (const id of ids.filter((id, k) => ids.indexOf(id) < k)) found.push(`id ${id} again`);
  expect(document.head.children[1]?.httpEquiv === "Content-Security-Policy", "the policy is not first");
  if (document.title.startsWith("Not found")) return found;
  const { length } = meta("meta[name=description]");
  expect(20 <= length && length <= 330, "description too short or long");
  expect(document.querySelector("link[rel=canonical]")?.href.startsWith("http"), "no canonical address");
  expect(meta("meta[property='og:image']").endsWith("assets/share.png"), "no picture where a link is shared");
  return found;
}
