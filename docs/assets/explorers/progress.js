// Keeps which exercises are done in this browser, and shows it where a page asks for it.
const KEY = "stbp-edu-progress";
const WORDS = { right: "done", wrong: "tried" };

export function read() {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY) ?? "{}");
    return kept && typeof kept === "object" ? kept : {};
  } catch {
    return {}; // storage is switched off, or holds something else
  }
}

export function keep(exercise, state) {
  const kept = read();
  if (!(state in WORDS) || kept[exercise] === "right" || kept[exercise] === state) return;
  try {
    localStorage.setItem(KEY, JSON.stringify({ ...kept, [exercise]: state }));
  } catch {
    return; // without storage the page works all the same
  }
  document.dispatchEvent(new CustomEvent("stbp-progress"));
}

// Feedback that appears after a live cell has run says in its data attributes what to keep.
function collect(root) {
  const found = root.matches?.("[data-exercise][data-state]") ? [root] : [];
  for (const one of [...found, ...(root.querySelectorAll?.("[data-exercise][data-state]") ?? [])]) {
    keep(one.dataset.exercise, one.dataset.state);
  }
}

const cell = (text, tag = "td") => {
  const node = document.createElement(tag);
  node.textContent = text;
  return node;
};

const row = (tag, ...texts) => {
  const tr = document.createElement("tr");
  tr.append(...texts.map((text) => cell(text, tag)));
  return tr;
};

function table(label, exercises, kept) {
  const box = document.createElement("div");
  box.className = "md-typeset__scrollwrap";
  box.tabIndex = 0;
  box.setAttribute("role", "group");
  box.setAttribute("aria-label", label);
  const head = document.createElement("thead");
  head.append(row("th", "Notebook", "Exercise", "What", "State"));
  const body = document.createElement("tbody");
  body.append(...exercises.map(({ id, title, notebook }) => row("td", notebook, id, title, WORDS[kept[id]] ?? "open")));
  box.append(document.createElement("table"));
  box.firstChild.append(head, body);
  return box;
}

async function show(place) {
  const exercises = await (await fetch(new URL("exercises.json", import.meta.url))).json();
  const course = exercises.filter((exercise) => exercise.course);
  const more = exercises.filter((exercise) => !exercise.course);
  const draw = () => {
    const kept = read();
    const done = course.filter(({ id }) => kept[id] === "right").length;
    const next = course.find(({ id }) => kept[id] !== "right");
    const said = cell(`${done} of ${course.length} done${next ? `. Next: ${next.title} (notebook ${next.notebook}, ${next.id})` : ", all of them"}.`, "p");
    said.setAttribute("role", "status");
    const meter = document.createElement("progress");
    Object.assign(meter, { max: course.length, value: done });
    meter.setAttribute("aria-label", "Exercises of the notebooks that are done");
    const forget = document.createElement("button");
    forget.type = "button";
    forget.className = "live-button";
    forget.textContent = "Forget my progress";
    forget.addEventListener("click", () => {
      localStorage.removeItem(KEY);
      draw();
      place.querySelector("button").focus();
    });
    const heading = cell("More practice", "h2");
    const about = cell("These stand in no notebook. They are checked in the same way, by their names; those that end in -formula ask for a formula, with check_formula.", "p");
    place.replaceChildren(said, meter, table("Exercises of the notebooks", course, kept), forget, heading, about, table("More exercises", more, kept));
  };
  document.addEventListener("stbp-progress", draw);
  addEventListener("storage", draw);
  draw();
}

for (const place of document.querySelectorAll("[data-progress]")) show(place);
new MutationObserver((changes) => {
  for (const { addedNodes } of changes) for (const node of addedNodes) collect(node);
}).observe(document.body, { childList: true, subtree: true });
