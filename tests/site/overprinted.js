// The values of an explorer that stand on a label, on a node or on each other.
(root) => {
  const boxes = (selector) => [...root.querySelectorAll(selector)].filter((one) => one.textContent || one.matches(".shape"))
    .map((one) => [one.textContent, one.getBoundingClientRect()]);
  const values = boxes(".value");
  const others = boxes(".factor, .axis, .node .shape");
  const under = 3; // pixels that a line of text is higher than its letters
  const meet = ([, a], [, b]) => a.left < b.right - 1 && b.left < a.right - 1 && a.top + under < b.bottom - under && b.top + under < a.bottom - under;
  return values.flatMap((value, k) => [...others, ...values.slice(k + 1)].filter((other) => meet(value, other)).map(([words]) => `${value[0]} on ${words}`));
}
