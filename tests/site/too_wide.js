// The elements of an explorer that leave the screen or the explorer.
(root) => [root, ...root.querySelectorAll(":not(.scroll *)")].filter((one) => {
  const { left, right } = one.getBoundingClientRect();
  return left < 0 || right > innerWidth || right > root.getBoundingClientRect().right;
}).map((one) => one.outerHTML.slice(0, 80))
