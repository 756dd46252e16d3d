// The violations that axe-core finds on the whole page, one line each, once it is laid out: by all
// rules, by all but those about sizes, by those about colours, or by what depends on colours and width.
async (some) => {
  await new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
  const colours = ["color-contrast", "link-in-text-block"];
  const named = { colours, look: [...colours, "target-size", "scrollable-region-focusable"] }[some];
  const rules = { "target-size": { enabled: some !== "unsized" } }; // WCAG 2.2's own rule, which axe-core leaves out as it comes
  const preload = { assets: ["media"] }; // the one rule that reads style sheets is off
  const { violations } = await axe.run(document, { resultTypes: ["violations"], preload, rules, ...(named && { runOnly: named }) });
  const where = (node) => `${node.target.join(" ")} (${node.any[0]?.message ?? node.all[0]?.message ?? ""})`;
  return violations.map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map(where).join("; ")}`);
}
