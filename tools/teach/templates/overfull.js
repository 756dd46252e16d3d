() => Reveal.getSlides().flatMap((slide, k) => {
  Reveal.slide(k);
  slide.querySelectorAll(".fragment").forEach((part) => part.classList.add("visible"));
  const frame = slide.getBoundingClientRect();
  const parts = [...slide.querySelectorAll(":scope > :not(aside), .fragment > *, .out *")];
  const beyond = parts.map((part) => part.getBoundingClientRect()).filter(
    (box) => box.bottom > frame.bottom + 1 || box.right > frame.right + 1);
  return beyond.length ? [`${k + 1}: ${slide.querySelector("h1, h2").textContent}`] : [];
})
