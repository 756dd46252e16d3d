// The index of the search is large, and the theme asks for it on every page: it gets it when
// somebody opens the search.
(() => {
  const opened = new Promise((resolve) =>
    addEventListener("DOMContentLoaded", () => {
      for (const element of document.querySelectorAll("#__search, [data-md-component=search-query]"))
        for (const event of ["change", "focus", "input"]) element.addEventListener(event, resolve, { once: true });
    }),
  );
  const { open, send } = XMLHttpRequest.prototype;
  const waiting = new WeakSet();
  XMLHttpRequest.prototype.open = function (method, url, ...rest) {
    if (String(url).endsWith("search/search_index.json")) waiting.add(this);
    return open.call(this, method, url, ...rest);
  };
  XMLHttpRequest.prototype.send = function (body) {
    if (waiting.has(this)) opened.then(() => send.call(this, body));
    else send.call(this, body);
  };
})();
