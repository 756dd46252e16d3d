// The violations that axe-core finds on the whole page, one line each, once it is laid out; of
// colours alone where that is asked for.
async (colours) => {
  await new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
  const rules = { "target-size": { enabled: true } }; // WCAG 2.2's own rule, which axe-core leaves out as it comes
  const judged = colours ? { runOnly: ["color-contrast", "link-in-text-block"] } : { rules };
  const preload = { assets: ["media"] }; // the one rule that reads style sheets is off
  const { violations } = await axe.run(document, { resultTypes: ["violations"], preload, ...judged });
  const where = (node) => `${node.target.join(" ")} (${node.any[0]?.message ?? node.all[0]?.message ?? ""})`;
  return violations.map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map(where).join("; ")}`);
}
