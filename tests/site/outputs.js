// What each cell of a notebook page shows.
() => [...document.querySelectorAll(".cell")].map((cell) => ({
    number: +cell.dataset.number,
    state: cell.dataset.state ?? "",
    shown: [...cell.querySelectorAll(".cell-output :is(.out, .cell-note)")].flatMap((out) => {
        const figure = out.querySelector(":scope > .figure");
        if (!figure) {
            const words = out.cloneNode(true);
            for (const inner of words.querySelectorAll(".out")) inner.remove(); // listed by itself
            const wraps = out.querySelector(".out") && !words.textContent.trim();
            return wraps ? [] : [words.textContent]; // what only wraps others shows nothing itself
        }
        return ["figure: " + (figure.getAttribute("aria-label") ?? figure.alt)];
    }),
}))
