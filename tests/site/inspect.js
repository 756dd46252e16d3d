// What a page says about itself: the one that is open, or one that is only written. faults in test_built_pages.py judges.
(written) => {
  const start = (text) => [...text].slice(0, 80).join(""); // no half of a letter
  const document = written ? new DOMParser().parseFromString(written, "text/html") : window.document;
  const all = (selector) => [...document.querySelectorAll(selector)];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const code = "code, pre, script, style, textarea, mjx-container, kbd";
  const tex = /\\\(|\\\[|\$\$|\\(?:frac|sum|tag|delta)\b/;
  const raw = [];
  for (let node; (node = texts.nextNode()); )
    if (!node.parentElement.closest(code) && tex.test(node.data)) raw.push(start(node.data.trim()));
  const ids = all("[id]").map((element) => element.id);
  const formulas = all(".arithmatex");
  const headings = all("h1, h2, h3, h4, h5, h6").filter((heading) => written || heading.checkVisibility());
  return {
    title: document.title,
    lang: document.documentElement.lang,
    description: document.querySelector("meta[name=description]")?.content ?? "",
    canonical: document.querySelector("link[rel=canonical]")?.href ?? "",
    image: document.querySelector("meta[property='og:image']")?.content ?? "",
    first: document.head.children[1]?.httpEquiv ?? "",
    headings: headings.map((heading) => [+heading.tagName[1], heading.textContent.trim()]),
    unnamed: all("main img").filter((image) => !image.alt.trim()).length,
    unset: formulas.filter((f) => !f.querySelector("mjx-container")).map((f) => start(f.textContent)),
    unspoken: formulas.filter((formula) => !formula.getAttribute("aria-label")).length,
    failed: all("mjx-merror, [data-mjx-error]").length,
    repeated: ids.filter((id, k) => ids.indexOf(id) < k),
    raw,
  };
}
