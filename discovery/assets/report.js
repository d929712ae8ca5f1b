// Sorting, searching and leafing for the report. Without it everything is still there to be read.
"use strict";
(() => {
  const all = (selector, root) => Array.from((root || document).querySelectorAll(selector));

  // Poses: one view, many buttons.
  const root = document.getElementById("poses-3d"), data = document.getElementById("scene");
  if (root && data) {
    const viewer = window.poseViewer(root, JSON.parse(data.textContent));
    const light = () => all(".card").forEach((card) => {
      const button = card.querySelector("button.pose");
      const on = !!button && button.dataset.pose === root.dataset.shown;
      card.classList.toggle("shown", on);
      if (button) button.setAttribute("aria-pressed", String(on));
    });
    new MutationObserver(light).observe(root, { attributes: true, attributeFilter: ["data-shown"] });
    light();
    all("button.pose").forEach((button) => button.addEventListener("click", () => {
      viewer.show(button.dataset.pose);
      const box = root.getBoundingClientRect();
      if (box.bottom < 60 || box.top > window.innerHeight - 60) root.scrollIntoView({ block: "start" });
    }));
  }

  // Sorting: buttons inside the heads, so that the keyboard reaches them.
  all("th[data-sort]").forEach((head) => {
    const button = document.createElement("button");
    button.type = "button";
    head.dataset.label = head.textContent; // paper repeats the words on every page, not the buttons
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const table = head.closest("table"), body = table.tBodies[0];
      const place = head.cellIndex, numeric = head.dataset.sort === "num";
      const down = head.getAttribute("aria-sort") === "ascending";
      all("th[aria-sort]", table).forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const key = (row) => {
        const cell = row.cells[place];
        if (!numeric) return cell.textContent.trim().toLowerCase();
        return cell.dataset.v === undefined || cell.dataset.v === "" ? null : Number(cell.dataset.v);
      };
      const rows = Array.from(body.rows, (row, index) => ({ row, index, key: key(row) }));
      rows.sort((a, b) => {
        if (a.key === null || b.key === null) return (a.key === null) - (b.key === null) || a.index - b.index; // empty cells last, either way
        const order = numeric ? a.key - b.key : a.key < b.key ? -1 : a.key > b.key ? 1 : 0;
        return (down ? -order : order) || a.index - b.index;
      });
      body.append(...rows.map((entry) => entry.row));
    });
  });

  // Filtering.
  function filter(name) {
    const box = document.querySelector(`[data-filter="${name}"]`);
    const words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
    const only = (what) => { const made = document.querySelector(`[data-only="${what}"]`); return made && made.checked; };
    const clean = name === "ranked" && only("alerts"), front = name === "ranked" && only("front");
    let shown = 0, total = 0;
    all(`table[data-rows="${name}"] tbody tr`).forEach((row) => {
      const text = row.dataset.s || row.textContent.toLowerCase();
      const on = words.every((word) => text.includes(word)) && !(clean && "a" in row.dataset) && !(front && !("f" in row.dataset));
      row.hidden = !on;
      total += 1;
      if (on) shown += 1;
    });
    document.querySelector(`[data-count="${name}"]`).textContent = shown === total ? "" : `${shown} of ${total} shown`;
    if (name === "unranked") all("[data-group]").forEach((group) => {
      const hits = all("tbody tr", group).some((row) => !row.hidden);
      group.hidden = words.length > 0 && !hits;
      group.open = words.length > 0 && hits;
    });
  }
  all("[data-filter]").forEach((box) => box.addEventListener("input", () => filter(box.dataset.filter)));
  all("[data-only]").forEach((box) => box.addEventListener("change", () => filter("ranked")));
  all(".tools").forEach((tools) => { tools.hidden = false; });

  // Paper shows what is folded away on the screen.
  let folded = [];
  window.addEventListener("beforeprint", () => {
    folded = all("details:not([open])").filter((part) => !part.closest(".legend, .more"));
    folded.forEach((part) => { part.open = true; });
  });
  window.addEventListener("afterprint", () => { folded.forEach((part) => { part.open = false; }); });
})();
