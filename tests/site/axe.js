// The violations that axe-core finds on the whole page, one line each, once it is laid out.
async () => {
  await new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
  const rules = { "target-size": { enabled: true } }; // WCAG 2.2's own rule, which axe-core leaves out as it comes
  const preload = { assets: ["media"] }; // the one rule that reads style sheets is off
  const { violations } = await axe.run(document, { resultTypes: ["violations"], preload, rules });
  const where = (node) => `${node.target.join(" ")} (${node.any[0]?.message ?? node.all[0]?.message ?? ""})`;
  return violations.map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map(where).join("; ")}`);
}
