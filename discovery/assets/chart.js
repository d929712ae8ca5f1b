// A point that is pointed at, or reached by keyboard, shows its structure. Text is ours and escaped already.
"use strict";
(() => {
  const aside = document.querySelector("aside");
  const cards = new Map(Array.from(document.querySelectorAll("#cards > div"), (card) => [card.dataset.id, card]));
  let shown = null;
  function show(point) {
    const card = cards.get(point.dataset.id);
    if (!card) return;
    aside.replaceChildren(card.cloneNode(true));
    if (shown) shown.classList.remove("on");
    shown = point;
    point.classList.add("on");
  }
  for (const point of document.querySelectorAll("circle[data-id]")) {
    if (!cards.has(point.dataset.id)) continue;
    point.setAttribute("tabindex", "0");
    for (const kind of ["pointerenter", "focus"]) point.addEventListener(kind, () => show(point));
  }
})();
