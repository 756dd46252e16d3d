// Small things that make the theme work for everyone.
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];

  document.querySelector(".md-search[role=dialog]")?.setAttribute("aria-label", "Search");
  document.querySelector(".md-tags")?.setAttribute("aria-label", "Topics");

  // Labels that act as buttons: reachable and usable from the keyboard, with a name.
  const names = { __drawer: "Menu", __search: "Search" };
  for (const label of all(".md-header__button[for]")) {
    const name = names[label.htmlFor] ?? label.title;
    label.setAttribute("role", "button");
    label.setAttribute("aria-label", name);
    label.tabIndex = 0;
    label.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      label.click();
    });
  }
  document.querySelector("[data-theme-button]")?.addEventListener("click", () =>
    document.querySelector("[data-md-component=palette] label:not([hidden])")?.click(),
  );

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
    document.querySelector("label[for=__drawer]").focus();
  });

  // What can be scrolled sideways can be reached from the keyboard.
  const scrollable = () => {
    for (const box of all(".equation, .arithmatex, .cell-code pre, .md-typeset__scrollwrap, .out-html, .source pre, .md-typeset pre > code")) {
      const scrolls = box.scrollWidth > box.clientWidth + 1 && !box.closest("[aria-hidden=true]");
      if (scrolls && getComputedStyle(box).overflowX !== "visible") box.tabIndex = 0;
      else if (box.tabIndex === 0 && !scrolls) box.removeAttribute("tabindex");
    }
  };
  addEventListener("resize", scrollable);
  addEventListener("load", () => requestAnimationFrame(scrollable));
  document.addEventListener("maths", scrollable);
  // The theme adds the buttons of code blocks when it gets to it; each gets a name of its own then.
  const nameCode = () => all(".md-code__nav").forEach((nav, k) => nav.setAttribute("aria-label", `Code block ${k + 1}`));
  for (const pre of all(".md-typeset pre")) new MutationObserver(nameCode).observe(pre, { childList: true });
  nameCode();

  // The grid on the first page can be played again.
  const replay = document.querySelector("[data-replay]");
  if (replay && !matchMedia("(prefers-reduced-motion: reduce)").matches) {
    const grid = document.querySelector("[data-hero]");
    replay.hidden = false;
    replay.addEventListener("click", () => {
      grid.classList.remove("hero-play");
      void grid.offsetWidth;
      grid.classList.add("hero-play");
    });
  }
})();
