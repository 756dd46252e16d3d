// The violations that axe-core finds, one line each; `rules` restricts it to some rules.
async (rules) => {
  const only = rules && { runOnly: { type: "rule", values: rules } };
  const most = ".source .line:nth-child(n+60)"; // further down a long file is more of the same
  const { violations } = await axe.run({ exclude: [[most]] }, { resultTypes: ["violations"], ...only });
  const where = (node) => `${node.target.join(" ")} (${node.any[0]?.message ?? ""})`;
  return violations.map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map(where).join("; ")}`);
}
