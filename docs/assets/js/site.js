// Small things that make the theme work for everyone.
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];

  document.querySelector(".md-search[role=dialog]")?.setAttribute("aria-label", "Search");
  document.querySelector(".md-tags")?.setAttribute("aria-label", "Topics");

  // On a phone two labels open the menu and the search; as buttons they answer the keyboard, too.
  const names = { __drawer: "Menu", __search: "Search" };
  for (const label of all(".md-header__button[for]")) {
    const { className, innerHTML, htmlFor } = label;
    const button = Object.assign(document.createElement("button"), { type: "button", className, innerHTML });
    button.setAttribute("for", htmlFor); // by which the theme's styles know it
    button.setAttribute("aria-label", names[htmlFor]);
    button.addEventListener("click", () => document.getElementById(htmlFor).click());
    label.replaceWith(button);
  }
  document.querySelector("[data-theme-button]")?.addEventListener("click", () =>
    document.querySelector("[data-md-component=palette] label:not([hidden])")?.click(),
  );

  // The home page leads back to the notebook that was read last.
  const LAST = "stbp-edu-last";
  const kept = () => { try { return JSON.parse(localStorage.getItem(LAST)); } catch { return null; } }; // prettier-ignore
  const keep = (place) => { try { localStorage.setItem(LAST, JSON.stringify(place)); } catch { /* private window */ } }; // prettier-ignore
  const [, stem] = /\/notebooks\/(\d\d_\w+)\/$/.exec(location.pathname) ?? [];
  if (stem) keep({ stem, title: document.querySelector("h1").firstChild.textContent.trim() });
  const start = document.querySelector("[data-continue]");
  const last = start && kept();
  if (/^\d\d_\w+$/.test(last?.stem ?? "")) {
    start.href = start.href.replace(/\d\d_\w+/, last.stem);
    start.textContent = `Continue: ${last.title}`;
  }

  // Browsers keep modules, and with them Python, from pages that were opened as files.
  if (location.protocol === "file:") for (const note of all("[data-file-note]")) note.hidden = false;

  // A command that takes something from this site names the address that the page came from.
  const base = JSON.parse(document.getElementById("__config")?.textContent || "{}").base;
  const here = () => new URL(`${(base ?? ".").replace(/\/$/, "")}/`, location.href).href;
  for (const code of all("pre > code")) {
    if (!code.textContent.includes("https://this-site/")) continue;
    const texts = document.createTreeWalker(code, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) texts.currentNode.data = texts.currentNode.data.replaceAll("https://this-site/", here());
  }

  // A table that a phone would cut: its rows stand below each other, each cell beside the name of its column.
  const phone = matchMedia("(max-width: 30em)").matches;
  const roles = { table: "table", thead: "rowgroup", tbody: "rowgroup", tr: "row", th: "columnheader", td: "cell" }; // which blocks lose
  const stack = (table) => {
    const heads = all("thead :is(th, td)", table).map((head) => head.textContent.trim()); // one without words is a td
    if (heads.length < 3 || table.scrollWidth <= table.closest("article").clientWidth) return;
    table.dataset.stacked = "";
    for (const row of all("tbody tr", table)) [...row.cells].forEach((cell, k) => (cell.dataset.head = heads[k]));
    for (const part of [table, ...all("*", table)]) if (roles[part.localName]) part.setAttribute("role", roles[part.localName]);
  };
  for (const table of all(".md-content article table:not([class])")) {
    if (phone && table.querySelector(".arithmatex")) document.addEventListener("maths", () => stack(table), { once: true });
    else if (phone) stack(table);
  }

  // The drawer on narrow screens: what is out of sight is out of reach too.
  const drawer = document.getElementById("__drawer");
  const sidebar = document.querySelector(".md-sidebar--primary");
  const narrow = matchMedia("(max-width: 76.2344em)");
  const reach = () => sidebar?.toggleAttribute("inert", narrow.matches && !drawer.checked);
  drawer?.addEventListener("change", () => {
    reach();
    if (drawer.checked) sidebar?.querySelector("a")?.focus();
  });
  narrow.addEventListener("change", reach);
  reach();
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !drawer?.checked) return;
    drawer.checked = false;
    drawer.dispatchEvent(new Event("change"));
    document.querySelector("button[for=__drawer]").focus();
  });

  // What can be scrolled can be reached from the keyboard.
  const boxes = ".equation, .arithmatex, .cell-code .highlight, .out, .md-typeset__scrollwrap, .md-typeset table, .source pre, .md-typeset pre > code";
  const scrollable = () => {
    for (const box of all(boxes)) {
      const { overflowX, overflowY } = getComputedStyle(box);
      const across = overflowX === "auto" && box.scrollWidth > box.clientWidth + 1;
      const down = overflowY === "auto" && box.scrollHeight > box.clientHeight + 1;
      if ((across || down) && !box.querySelector("textarea")) box.tabIndex = 0;
      else if (box.tabIndex === 0) box.removeAttribute("tabindex");
    }
  };
  // The content changes its size with the window, and when a cell has run.
  new ResizeObserver(scrollable).observe(document.querySelector(".md-content"));
  document.addEventListener("maths", scrollable);
  // The theme adds the buttons of code blocks when it gets to it; each gets a name of its own then.
  const nameCode = () => all(".md-code__nav").forEach((nav, k) => nav.setAttribute("aria-label", `Code block ${k + 1}`));
  for (const pre of all(".md-typeset pre")) new MutationObserver(nameCode).observe(pre, { childList: true });
  nameCode();

  // The topics of each result of a search are no part of the page that one could steer for.
  const results = document.querySelector(".md-search-result__list");
  const unmark = () => all(".md-tags", results).forEach((tags) => tags.setAttribute("role", "presentation"));
  if (results) new MutationObserver(unmark).observe(results, { childList: true, subtree: true });
})();
