// What an arrow board shows: the texts of its values, and how many formulas and crosses.
(root) => {
  const texts = {};
  for (const { dataset, textContent } of root.querySelectorAll("[data-value]"))
    (texts[dataset.value] ??= []).push(textContent);
  const count = (selector) => root.querySelectorAll(selector).length;
  return { texts, formulas: count(".formulas math:not(:has(merror))"), crossed: count("g.arrow.lost") };
}
