() => [...document.querySelectorAll("body *")].filter((e) => {
  const box = e.getBoundingClientRect();
  return box.width && box.right > document.body.clientWidth + 1;
}).map((e) => `${e.tagName}: ${e.textContent.trim().slice(0, 60)}`)
