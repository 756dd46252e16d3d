// What each cell of a notebook page shows.
() => [...document.querySelectorAll(".cell")].map((cell) => ({
    number: +cell.dataset.number,
    state: cell.dataset.state ?? "",
    shown: [...cell.querySelectorAll(".cell-output :is(.out, .cell-note)")].map((out) => {
        const figure = out.querySelector(":scope > .figure");
        if (!figure) {
            const words = out.cloneNode(true);
            for (const inner of words.querySelectorAll(".out")) inner.remove(); // listed by itself
            return words.textContent;
        }
        return "figure: " + (figure.getAttribute("aria-label") ?? figure.alt);
    }),
}))
