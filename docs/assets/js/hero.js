// The graph of the first page: whoever cuts an arrow sees what the paths that are left add up to.
const place = document.querySelector("[data-hero]");
const paths = JSON.parse(place.querySelector("svg").dataset.paths);
const arrows = [...place.querySelectorAll("[data-edge]")];
const [bar, status, back] = [".hero-bar > span", "[role=status]", "button"].map((one) => place.querySelector(one));
const add = (some) => some.reduce((sum, { value }) => sum + value, 0);
const cut = new Set();

function draw() {
  const left = paths.filter(({ edges }) => !edges.some((edge) => cut.has(edge)));
  const alive = new Set(left.flatMap(({ edges }) => edges));
  const share = Math.round((100 * add(left)) / add(paths));
  for (const arrow of arrows) {
    const edge = Number(arrow.dataset.edge);
    arrow.setAttribute("aria-pressed", cut.has(edge));
    arrow.classList.toggle("gone", !alive.has(edge));
  }
  bar.style.width = `${Math.max(0, Math.min(100, share / 1.5))}%`;
  const words = cut.size
    ? ` of what it was: ${left.length} of ${paths.length} paths are left. ${share > 100 ? "What you cut had taken some of the blame away." : share < 0 ? "Now the spike seems to have helped." : ""}`
    : " of the first spike's share in the mistake: four paths lead from it, and each counts.";
  const number = document.createElement("strong");
  number.textContent = `${share < 0 ? "−" : ""}${Math.abs(share)}\u00a0%`;
  status.replaceChildren(number, words);
  back.hidden = !cut.size;
}

function toggle(arrow) {
  const edge = Number(arrow.dataset.edge);
  if (!cut.delete(edge)) cut.add(edge);
  draw();
}

for (const arrow of arrows) {
  arrow.addEventListener("click", () => toggle(arrow));
  arrow.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    toggle(arrow);
  });
}
back.addEventListener("click", () => {
  cut.clear();
  draw();
  arrows[0].focus();
});
